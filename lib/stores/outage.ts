/**
 * Whether a store over the network is away. Without it, each request of an outage would wait out the whole budget, and all of
 * them would return at once when it ends. It advances on requests by the wall clock: no timer, which a frozen instance would stop.
 */
import type { Unavailable } from "../contract/stores/reply.ts";
import type { StoreStatus } from "../contract/stores/stores.ts";

/** One at the beginning and one at the end of each outage. */
export type OutageEvent =
  | { readonly state: "away"; readonly reason: Unavailable["reason"] }
  /** `unanswered`: trips that failed or were not made meanwhile. */
  | { readonly state: "back"; readonly afterMs: number; readonly unanswered: number };

/** Failures in a row, without a success between them. One or two happen: a socket that closed, a slow moment. */
export const FAILURES_TO_BE_AWAY = 3;
/** While it is away, one trip tries it this often. */
export const PROBE_MS = 1_000;

interface Away {
  readonly reason: Unavailable["reason"];
  readonly sinceMs: number;
  probedMs: number;
  unanswered: number;
}

export class Outage {
  readonly #now: () => number;
  readonly #onChange: (event: OutageEvent) => void;
  #failures = 0;
  #away: Away | undefined;
  /** Those that are over, and their trips. */
  #ended = { outages: 0, unanswered: 0 };

  constructor(options: { now(): number; onChange(event: OutageEvent): void }) {
    this.#now = options.now;
    this.#onChange = options.onChange;
  }

  get status(): StoreStatus {
    const { outages, unanswered } = this.#ended;
    const away = this.#away;
    if (!away) return { away: undefined, outages, unanswered };
    const { reason, sinceMs } = away;
    return { away: { reason, sinceMs }, outages: outages + 1, unanswered: unanswered + away.unanswered };
  }

  /** Undefined: make the trip. Otherwise the reply, at once. */
  refuses(): Unavailable["reason"] | undefined {
    const away = this.#away;
    if (!away) return undefined;
    const nowMs = this.#now();
    // A clock that was set back must not keep us from looking.
    if (nowMs - away.probedMs >= PROBE_MS || nowMs < away.probedMs) {
      away.probedMs = nowMs;
      return undefined;
    }
    away.unanswered++;
    return away.reason;
  }

  failed(reason: Unavailable["reason"]): void {
    this.#failures++;
    if (this.#away) this.#away.unanswered++;
    else if (this.#failures >= FAILURES_TO_BE_AWAY) {
      const nowMs = this.#now();
      this.#away = { reason, sinceMs: nowMs, probedMs: nowMs, unanswered: this.#failures };
      this.#onChange({ state: "away", reason });
    }
  }

  succeeded(): void {
    this.#failures = 0;
    const away = this.#away;
    if (!away) return;
    this.#away = undefined;
    this.#ended = { outages: this.#ended.outages + 1, unanswered: this.#ended.unanswered + away.unanswered };
    this.#onChange({ state: "back", afterMs: Math.max(0, this.#now() - away.sinceMs), unanswered: away.unanswered });
  }
}
