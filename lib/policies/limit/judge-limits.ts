/** Judges a request by its counts: whether it is refused, what its answer tells of the limits, and what it owes at its end. */
import type { Exchange } from "../../contract/exchange.ts";
import { type Refusal, refuse } from "../../contract/problem.ts";
import { type Count, type OnUnavailable, shareOf } from "../../contract/stores/counters.ts";
import type { StoreReply } from "../../contract/stores/reply.ts";
import type { TakenPart } from "../../contract/stores/store-calls.ts";
import { secondsUntil } from "../../http/seconds-until.ts";
import { LOCAL_SHARE } from "../../stores/degraded-take.ts";
import type { EffectiveLimit } from "./limit-counter.ts";
import type { Meters } from "./meters.ts";
import { type PendingCharge, pendingCharge } from "./pending-charge.ts";
import { policyElement, type RateLimitField, windowSeconds } from "./rate-limit-field.ts";

/** Without the store nobody knows when it comes back; a place among those at once may be free at any time. */
const RETRY_SECONDS = 1;

export interface Judgement {
  stop: Refusal | undefined;
  readonly fields: RateLimitField[];
  readonly charges: PendingCharge[];
  /** The store was away: limits were counted by this instance, or some were open to all. */
  degraded: Degraded | undefined;
  /** Names of limits in shadow mode that would have refused. */
  readonly wouldRefuse: string[];
}

export type Degraded = "local" | "open";

/** A limit that refuses. */
interface Exceeded extends EffectiveLimit {
  readonly retrySeconds: number;
}

export function judgeLimits(
  limits: readonly EffectiveLimit[],
  taken: StoreReply<TakenPart>,
  exchange: Exchange,
  meters: Meters,
  nowMs: number,
): Judgement {
  const judgement: Judgement = { stop: undefined, fields: [], charges: [], degraded: undefined, wouldRefuse: [] };
  // Only counters that know no `onUnavailable` say so.
  if (taken.state !== "ok") return refuseUnavailable(judgement, taken.reason);
  const { charged, counts } = taken.value;
  const exceeded: Exceeded[] = [];
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    const effective = limits[i]!;
    const { limit } = effective;
    if (count.degraded !== undefined) judgement.degraded = degradedBy(count.degraded, judgement.degraded);
    const charge = charged ? pendingCharge(effective, count, exchange, meters) : undefined;
    if (charge) judgement.charges.push(charge);
    if (limit.shadow) {
      if (!count.allowed) judgement.wouldRefuse.push(limit.name);
      continue;
    }
    if (count.degraded === "deny")
      return refuseUnavailable(judgement, `the limit "${limit.name}" denies while the store is away`);
    const retrySeconds = count.allowed ? 0 : retryAfter(effective, count, nowMs);
    if (!count.allowed) exceeded.push({ ...effective, retrySeconds });
    if (count.degraded !== "allow" && !count.unasked) judgement.fields.push(fieldOf(effective, count, retrySeconds));
  }
  if (exceeded.length > 0) judgement.stop = refusalOf(exceeded);
  return judgement;
}

function refuseUnavailable(judgement: Judgement, reason: string): Judgement {
  const stop = refuse("store-unavailable", { headers: ["retry-after", String(RETRY_SECONDS)], reason });
  return { ...judgement, stop, fields: [], charges: [] };
}

function degradedBy(degraded: OnUnavailable, before: Degraded | undefined): Degraded | undefined {
  if (degraded === "deny" || before === "open") return before;
  return degraded === "local" ? "local" : "open";
}

function retryAfter({ rule }: EffectiveLimit, { resetMs }: Count, nowMs: number): number {
  return rule.algorithm === "concurrency" ? RETRY_SECONDS : secondsUntil(resetMs, nowMs);
}

function fieldOf({ limit, rule, element }: EffectiveLimit, count: Count, retrySeconds: number): RateLimitField {
  return {
    policy: count.degraded === undefined ? element : policyElement(limit.name, shareOf(rule, LOCAL_SHARE), limit.unit),
    remaining: count.remaining,
    resetMs: rule.algorithm === "concurrency" ? null : count.resetMs,
    retrySeconds,
  };
}

/** Of several limits the one that refuses longest is told, since nothing helps before it. */
function refusalOf(exceeded: readonly Exceeded[]): Refusal {
  const longest = exceeded.reduce((worst, one) => (one.retrySeconds > worst.retrySeconds ? one : worst));
  const { limit, rule, retrySeconds } = longest;
  const span = rule.algorithm === "concurrency" ? "at once" : `in ${windowSeconds(rule)} seconds`;
  return refuse(rule.algorithm === "period" ? "quota-exhausted" : "rate-limited", {
    detail: `"${limit.name}" allows ${rule.limit} ${limit.unit} ${span}. Try again in ${retrySeconds} ${retrySeconds === 1 ? "second" : "seconds"}.`,
    reason: `over ${exceeded.map((one) => `"${one.limit.name}"`).join(", ")}`,
    headers: ["retry-after", String(retrySeconds)],
    // The member that the draft's problem types have (draft-ietf-httpapi-ratelimit-headers-10 section 7).
    members: { "violated-policies": exceeded.map((one) => one.limit.name) },
  });
}
