/**
 * What this instance was told to refuse, and until when: a blocked caller who keeps knocking costs no trip. Forgetting an entry
 * costs one trip, remembering one too long would refuse what Redis allows: so it is bounded, and nothing here is guessed.
 */
import type { Count, Take } from "../../contract/stores/counters.ts";
import { Generations } from "../memory/generations.ts";

export interface Refusal {
  /** Refused until then; at or before the time of asking where the store could not say. */
  readonly untilMs: number;
  /** The units that were not left: fewer may be. */
  readonly units: number;
  /** Of the rule: a config that raises it is not held to what was said before. */
  readonly limit: number;
  readonly count: Count;
}

/** Of each of two generations: some thousand of the longest names. */
const MAX_BYTES = 3 * 1024 * 1024;
const REFUSAL_BYTES = 256;
/** How long a refusal stands where another instance may lift it: resets and overrides of long limits, units that are given back. */
export const RECHECK_MS = 5_000;
/** A limit of at most this is over soon by itself. */
const SHORT_MS = 60_000;

export class Refusals {
  /** A flood of names costs nothing more than their trips. */
  readonly #entries = new Generations<Refusal>({ maxBytes: MAX_BYTES, maxAgeMs: SHORT_MS });

  get(name: string, nowMs: number): Refusal | undefined {
    return this.#entries.get(name, nowMs);
  }

  /** Told once for a take that was refused: `mayAllowMs` is from when on the store may allow it, if nobody gives units back. */
  remember(name: string, take: Take, count: Count, mayAllowMs: number, nowMs: number): void {
    const units = Math.max(1, take.cost);
    const isFixed = take.cost <= 1 && windowOf(take) <= SHORT_MS;
    const untilMs = isFixed ? mayAllowMs : Math.min(mayAllowMs, nowMs + RECHECK_MS);
    this.#entries.set(name, { untilMs, units, limit: take.rule.limit, count }, REFUSAL_BYTES, nowMs);
  }

  forget(name: string): void {
    this.#entries.delete(name);
  }
}

/** Whether what was said then settles this take now. */
export function stands({ untilMs, units, limit }: Refusal, { rule, cost }: Take, nowMs: number): boolean {
  return nowMs < untilMs && Math.max(1, cost) >= units && rule.limit <= limit;
}

function windowOf({ rule }: Take): number {
  if (rule.algorithm === "period") return rule.endMs - rule.startMs;
  return rule.algorithm === "concurrency" ? 0 : rule.windowMs;
}
