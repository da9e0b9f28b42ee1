/** How many of the last requests failed or were slow, by the clock of whoever asks: nothing ticks, so a frozen instance loses nothing. */

const SLICES = 10;

interface Slice {
  /** Which stretch of time it counts; another one than the current means that it is old. */
  turn: number;
  all: number;
  failed: number;
  slow: number;
}

export class OutcomeWindow {
  readonly #slices: Slice[] = Array.from({ length: SLICES }, () => ({ turn: -1, all: 0, failed: 0, slow: 0 }));

  add(isFailed: boolean, isSlow: boolean, nowMs: number, windowMs: number): void {
    const turn = Math.floor((nowMs * SLICES) / windowMs);
    const slice = this.#slices[turn % SLICES]!;
    if (slice.turn !== turn) {
      slice.turn = turn;
      slice.all = slice.failed = slice.slow = 0;
    }
    slice.all++;
    if (isFailed) slice.failed++;
    if (isSlow) slice.slow++;
  }

  totals(nowMs: number, windowMs: number): { all: number; failed: number; slow: number } {
    const oldest = Math.floor((nowMs * SLICES) / windowMs) - SLICES;
    const sum = { all: 0, failed: 0, slow: 0 };
    for (const { turn, all, failed, slow } of this.#slices) {
      if (turn <= oldest) continue;
      sum.all += all;
      sum.failed += failed;
      sum.slow += slow;
    }
    return sum;
  }

  clear(): void {
    for (const slice of this.#slices) slice.turn = -1;
  }
}
