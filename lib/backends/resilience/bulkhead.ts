/** Bounds how many requests are under way at a backend, so that one which hangs does not take all of the gateway's memory and sockets. */
import type { CompiledBulkhead } from "../../contract/compiled/resilience.ts";

interface Waiting {
  readonly enter: () => void;
  readonly timer: NodeJS.Timeout;
}

export class Bulkhead {
  readonly #rules: CompiledBulkhead;
  readonly #queue: Set<Waiting> = new Set();
  #inside = 0;

  constructor(rules: CompiledBulkhead) {
    this.#rules = rules;
  }

  /** Requests under way. */
  get inside(): number {
    return this.#inside;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * True: go on. False: nobody may wait any more. Otherwise one of the two is called later, `enter` with a place taken, unless what is
   * returned is called before: it gives up waiting. A place is given back by `leave`.
   */
  admit(enter: () => void, refuse: () => void): boolean | (() => void) {
    if (this.#inside < this.#rules.requests) {
      this.#inside++;
      return true;
    }
    if (this.#queue.size >= this.#rules.queue) return false;
    const cancel = () => {
      clearTimeout(waiting.timer);
      this.#queue.delete(waiting);
    };
    const timer = setTimeout(() => {
      this.#queue.delete(waiting);
      refuse();
    }, this.#rules.waitMs);
    const waiting: Waiting = { enter, timer };
    this.#queue.add(waiting);
    return cancel;
  }

  leave(): void {
    const [next] = this.#queue;
    if (!next) {
      this.#inside--;
      return;
    }
    // The place goes on to whoever has waited longest.
    clearTimeout(next.timer);
    this.#queue.delete(next);
    next.enter();
  }
}
