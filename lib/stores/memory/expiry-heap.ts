/** A binary heap of things by the time at which they expire; each knows its own place in it, so that it can leave at once. */
export interface Expiring {
  expiresMs: number;
  /** Its index in the heap; -1 while it is in none. The heap writes it. */
  slot: number;
}

export class ExpiryHeap<T extends Expiring> {
  readonly #items: T[] = [];

  /** The one that expires first. */
  get first(): T | undefined {
    return this.#items[0];
  }

  /** Adds an item, or moves one whose `expiresMs` has changed. */
  place(item: T): void {
    if (item.slot < 0) item.slot = this.#items.push(item) - 1;
    this.#settle(item);
  }

  remove(item: T): void {
    if (item.slot < 0) return;
    const last = this.#items.pop()!;
    if (last !== item) {
      last.slot = item.slot;
      this.#items[item.slot] = last;
      this.#settle(last);
    }
    item.slot = -1;
  }

  #settle(item: T): void {
    const items = this.#items;
    let at = item.slot;
    for (let parent = (at - 1) >> 1; at > 0 && items[parent]!.expiresMs > item.expiresMs; parent = (at - 1) >> 1) {
      items[at] = items[parent]!;
      items[at]!.slot = at;
      at = parent;
    }
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]!.expiresMs < items[child]!.expiresMs) child++;
      if (items[child]!.expiresMs >= item.expiresMs) break;
      items[at] = items[child]!;
      items[at]!.slot = at;
      at = child;
    }
    items[at] = item;
    item.slot = at;
  }
}
