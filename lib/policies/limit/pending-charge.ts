/** What a request owes at its end: a place to give back, a reserve to correct, a failure to charge. */
import type { Json } from "../../contract/json.ts";
import type { Outcome } from "../../contract/record.ts";
import { type CounterRule, type Counters, type OnUnavailable, shareOf } from "../../contract/stores/counters.ts";
import type { Stores } from "../../contract/stores/stores.ts";
import { LOCAL_SHARE } from "../../stores/degraded-take.ts";

/** Crosses the seal. */
export interface PendingCharge {
  readonly key: string;
  readonly rule: CounterRule;
  /** "lease" is a place among those at once; a number is the meter that says what it cost. */
  readonly by: "lease" | "failures" | "failures-reserved" | number;
  /** The lease's token, or the units that were reserved. */
  readonly held: string | number;
  readonly away?: OnUnavailable;
}

/** As JSON, in `carry`. */
export function toCarry(owed: readonly PendingCharge[]): Json {
  return owed as unknown as Json;
}

export function fromCarry(carried: Json | undefined): readonly PendingCharge[] {
  return (carried as unknown as readonly PendingCharge[] | undefined) ?? [];
}

/** What was counted here while the store was away is put right here. */
export function countersOf({ away }: PendingCharge, { counters, local }: Stores): Counters {
  return away === undefined ? counters : local;
}

export function ruleThere({ away, rule }: PendingCharge): CounterRule {
  return away === undefined ? rule : shareOf(rule, LOCAL_SHARE);
}

/**
 * Units to add or give back. What was used is known (`used`), or the request failed before anything was done for it; where neither
 * can be said, as of a stream that broke off, the reserve stays.
 */
export function costDelta(reserved: number, used: number | undefined, outcome: Outcome): number {
  if (used !== undefined) return used - reserved;
  return isFree(outcome) ? -reserved : 0;
}

/** Credentials that the gateway found wrong, or a backend that says 401: a log-in that failed. */
export function isFailure({ code, status, source }: Outcome): boolean {
  return code === "credentials-invalid" || (status === 401 && source !== "gateway");
}

/** Taken from a cache, or refused by the gateway or by the backend. After a time-out the work may have been done. */
function isFree({ aborted, code, source, status }: Outcome): boolean {
  if (source === "cache") return true;
  if (aborted) return false;
  return source === "gateway" ? code !== undefined && code !== "backend-timeout" : status >= 400;
}
