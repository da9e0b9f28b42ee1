/**
 * How old an instance's copy is of what stands in the stores, and who asks for news: what was changed elsewhere bites here within 5 s,
 * and a busy instance asks once in 4 s, however many requests it serves.
 */

/** An older copy is not acted on while the store answers. */
const MAX_AGE_MS = 5_000;
/** From this age on, one request at a time asks; the others go on with what is known. */
const REFRESH_MS = 4_000;
/** An answer that a request never came to see is asked for again. */
const ASK_AGAIN_MS = 500;

export class SnapshotAge {
  #checkedMs = Number.NEGATIVE_INFINITY;
  #askedMs = Number.NEGATIVE_INFINITY;

  isFresh(nowMs: number): boolean {
    return this.#ageMs(nowMs) <= MAX_AGE_MS;
  }

  /** Whether this request shall ask. */
  isDue(nowMs: number): boolean {
    const ageMs = this.#ageMs(nowMs);
    const askedAgoMs = nowMs - this.#askedMs;
    if (ageMs < REFRESH_MS || (ageMs < MAX_AGE_MS && askedAgoMs >= 0 && askedAgoMs < ASK_AGAIN_MS)) return false;
    this.#askedMs = nowMs;
    return true;
  }

  /** It is as the store had it at this time. */
  checked(atMs: number): void {
    this.#checkedMs = atMs;
  }

  /** A clock that was set back says nothing of the time that has passed. */
  #ageMs(nowMs: number): number {
    const ageMs = nowMs - this.#checkedMs;
    return ageMs < 0 ? Number.POSITIVE_INFINITY : ageMs;
  }
}
