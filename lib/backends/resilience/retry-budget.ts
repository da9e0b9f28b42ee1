/**
 * How many retries a backend bears: each request earns a share of one, and what is not spent is kept only as far as the last seconds
 * earned it. Without a budget, a backend that fails under its load would get twice the load for it; with a large stock, the beginning
 * of each outage would do the same.
 */

/** So much of a stock lets all requests of a target that hangs, for as long as that takes to show, be sent to another. */
const KEPT_MS = 5000;
/** With little traffic a share means nothing: one of these comes back every two seconds. */
const FLOOR = 5;
const FLOOR_EVERY_MS = 2000;

export class RetryBudget {
  /** Requests whose share has not been spent. */
  #credit = 0;
  #turn = -1;
  /** Requests of this stretch of KEPT_MS, and of the one before. */
  #requests = 0;
  #requestsBefore = 0;
  #floor = FLOOR;
  #floorSinceMs = 0;

  /** A request, not a retry. */
  count(nowMs: number): void {
    const turn = Math.floor(nowMs / KEPT_MS);
    if (turn !== this.#turn) {
      this.#requestsBefore = turn === this.#turn + 1 ? this.#requests : 0;
      this.#requests = 0;
      this.#turn = turn;
    }
    this.#requests++;
    const gone = (nowMs % KEPT_MS) / KEPT_MS;
    this.#credit = Math.min(this.#credit + 1, this.#requests + this.#requestsBefore * (1 - gone));
  }

  /** Takes a retry where there is one left; `share` is of a retry, for each request. */
  take(share: number, nowMs: number): boolean {
    const cost = 1 / share;
    if (this.#credit >= cost) {
      this.#credit -= cost;
      return true;
    }
    const back = Math.floor((nowMs - this.#floorSinceMs) / FLOOR_EVERY_MS);
    if (back > 0) {
      this.#floor = Math.min(FLOOR, this.#floor + back);
      this.#floorSinceMs = nowMs;
    }
    if (this.#floor === 0) return false;
    this.#floor--;
    return true;
  }
}
