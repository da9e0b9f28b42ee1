/**
 * How far this machine's clock is from that of the service before Redis, by the `Date` of its answers (RFC 9110 section 6.6.1). Windows go by
 * the clock of who takes: instances whose clocks are a window apart count into two, and a lease ends early for those that are ahead.
 */

/** Whole seconds, and the time of the trip: less says nothing. */
const TOLERATED_MS = 5_000;
/** Looked at, and told, this often. */
const LOOK_MS = 60_000;

export class ClockSkew {
  readonly #onSkew: (aheadMs: number) => void;
  #lookedMs = Number.NEGATIVE_INFINITY;

  /** `onSkew` hears how far this clock is ahead; negative where it is behind. */
  constructor(onSkew: (aheadMs: number) => void) {
    this.#onSkew = onSkew;
  }

  look(date: string | string[] | undefined, nowMs: number): void {
    const agoMs = nowMs - this.#lookedMs;
    if (typeof date !== "string" || (agoMs >= 0 && agoMs < LOOK_MS)) return;
    this.#lookedMs = nowMs;
    const aheadMs = nowMs - Date.parse(date);
    if (Math.abs(aheadMs) > TOLERATED_MS) this.#onSkew(aheadMs);
  }
}
