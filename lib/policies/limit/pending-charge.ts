/** A pending charge: what a request owes a counter at its end. A place to give back, a failure to count, a reserve to correct. */
import type { Deps } from "../../contract/deps.ts";
import type { Exchange } from "../../contract/exchange.ts";
import type { Outcome } from "../../contract/record.ts";
import type { GatewayRequest } from "../../contract/request.ts";
import { type Count, type CounterRule, type Counters, type OnUnavailable, shareOf } from "../../contract/stores/counters.ts";
import type { Pending } from "../../contract/stores/reply.ts";
import type { Stores } from "../../contract/stores/stores.ts";
import { LOCAL_SHARE } from "../../stores/degraded-take.ts";
import type { Limit } from "./compiled-limit.ts";
import { type EffectiveLimit, isSettled } from "./limit-counter.ts";
import type { Meters } from "./meters.ts";
import { unitsIn } from "./request-cost.ts";

/** It crosses the seal, so it is JSON. */
export type PendingCharge = Debt & {
  readonly key: string;
  readonly rule: CounterRule;
  /** The store was away: this instance counted, and puts its own count right. */
  readonly degraded?: OnUnavailable;
};

type Debt =
  /** A place among those at once. */
  | { readonly kind: "lease"; readonly lease: string }
  /** One unit, if the request fails. */
  | { readonly kind: "failure" }
  /** One unit was taken; it is given back unless the request fails. */
  | { readonly kind: "reserved-failure" }
  /** A meter reads the cost from the answer. */
  | { readonly kind: "meter"; readonly meter: number; readonly reserved: number }
  /** The request body is counted as it passes. */
  | { readonly kind: "size"; readonly bytesEach: number; readonly reserved: number };

export type LeaseCharge = Extract<PendingCharge, { kind: "lease" }>;

/** The charge of a limit that allowed a request; undefined where nothing is left to do, as for most. */
export function pendingCharge(
  { limit, keyOf, rule }: EffectiveLimit,
  count: Count,
  exchange: Exchange,
  meters: Meters,
): PendingCharge | undefined {
  const { allowed, degraded } = count;
  if (!allowed || degraded === "allow") return undefined;
  const debt = debtOf(limit, count, exchange.request, meters);
  return debt && { ...debt, key: keyOf(exchange), rule, ...(degraded === undefined ? {} : { degraded }) };
}

function debtOf({ cost, counts }: Limit, { lease }: Count, { body, headers }: GatewayRequest, meters: Meters): Debt | undefined {
  if (lease !== undefined) return { kind: "lease", lease };
  if (counts === "failures") return { kind: "failure" };
  if (counts === "failures-reserved") return { kind: "reserved-failure" };
  if (isSettled(cost)) return { kind: "meter", meter: meters.indexOf(cost), reserved: cost.reserve };
  const hasUnknownSize = cost.kind === "size" && body !== null && !headers.has("content-length");
  return hasUnknownSize ? { kind: "size", bytesEach: cost.bytes, reserved: 1 } : undefined;
}

/** `used`: the units that the charge's meter has read. Undefined where the charge was right. */
export function settleCharge(
  charge: PendingCharge,
  outcome: Outcome,
  used: number | undefined,
  { stores, clock }: Pick<Deps, "stores" | "clock">,
): Pending<unknown> | undefined {
  if (charge.kind === "lease") return countersOf(charge, stores).release(charge.key, ruleOf(charge), charge.lease);
  const delta = deltaOf(charge, outcome, used);
  return delta === 0 ? undefined : countersOf(charge, stores).settle(charge.key, ruleOf(charge), delta, clock.now());
}

export function renewLease(charge: LeaseCharge, stores: Stores, nowMs: number): Pending<boolean> {
  return countersOf(charge, stores).renew(charge.key, ruleOf(charge), charge.lease, nowMs);
}

function countersOf({ degraded }: PendingCharge, { counters, local }: Stores): Counters {
  return degraded === undefined ? counters : local;
}

function ruleOf({ degraded, rule }: PendingCharge): CounterRule {
  return degraded === undefined ? rule : shareOf(rule, LOCAL_SHARE);
}

/** Units to add, or to give back. */
function deltaOf(charge: Exclude<PendingCharge, LeaseCharge>, outcome: Outcome, used: number | undefined): number {
  switch (charge.kind) {
    case "failure":
      return isFailure(outcome) ? 1 : 0;
    case "reserved-failure":
      // Without an answer nothing says that it was none: who guesses may hang up before it comes.
      return isFailure(outcome) || outcome.status === 0 ? 0 : -1;
    case "meter":
      return costDelta(charge.reserved, used, outcome);
    case "size":
      return unitsIn(outcome.bytesIn, charge.bytesEach) - charge.reserved;
  }
}

/** The reserve stays where neither the cost nor a failure is known, as of a stream that broke off. */
function costDelta(reserved: number, used: number | undefined, outcome: Outcome): number {
  if (used !== undefined) return used - reserved;
  return isFree(outcome) ? -reserved : 0;
}

/** Credentials that the gateway found wrong, or a backend that says 401: a log-in that failed. */
function isFailure({ code, status, source }: Outcome): boolean {
  return code === "credentials-invalid" || (status === 401 && source !== "gateway");
}

/** Taken from a cache, or refused by the gateway or by the backend. After a time-out the work may have been done. */
function isFree({ aborted, code, source, status }: Outcome): boolean {
  if (source === "cache") return true;
  if (aborted) return false;
  return source === "gateway" ? code !== undefined && code !== "backend-timeout" : status >= 400;
}
