/**
 * Things by when they were last used, each linked to its neighbours. (A Map used as such a list, by deleting and setting again,
 * leaves a dead entry in the key's own bucket each time: in a large map one busy key then costs 200 µs a look.)
 */
export interface Recent<T> {
  /** Written by the list; undefined at its ends and outside it. */
  older: T | undefined;
  newer: T | undefined;
}

export class RecencyList<T extends Recent<T>> {
  #oldest: T | undefined;
  #newest: T | undefined;

  /** The one that was not used for longest. */
  get oldest(): T | undefined {
    return this.#oldest;
  }

  /** Adds an item, or moves it, as the one that was used last. */
  use(item: T): void {
    if (this.#newest === item) return;
    this.remove(item);
    item.older = this.#newest;
    if (this.#newest) this.#newest.newer = item;
    else this.#oldest = item;
    this.#newest = item;
  }

  /** Does nothing for an item that is in no list. */
  remove(item: T): void {
    if (item.older) item.older.newer = item.newer;
    else if (this.#oldest === item) this.#oldest = item.newer;
    if (item.newer) item.newer.older = item.older;
    else if (this.#newest === item) this.#newest = item.older;
    item.older = undefined;
    item.newer = undefined;
  }
}
