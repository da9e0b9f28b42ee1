/** The limits of a route in one row: what is asked for a request, what the reply means, and what is settled at the end. */

import { type Ask, ask } from "../../contract/ask.ts";
import type { Deps } from "../../contract/deps.ts";
import type { AnswerHead, Exchange } from "../../contract/exchange.ts";
import type { Json } from "../../contract/json.ts";
import type { MaybePromise } from "../../contract/maybe-promise.ts";
import type { Decision } from "../../contract/policy.ts";
import type { Refusal } from "../../contract/problem.ts";
import { refuse } from "../../contract/problem.ts";
import type { Outcome } from "../../contract/record.ts";
import {
  type Count,
  type CounterRule,
  type OnUnavailable,
  shareOf,
  type Take,
  type Taken,
} from "../../contract/stores/counters.ts";
import { ok, type Pending, type StoreReply } from "../../contract/stores/reply.ts";
import type { StoreCall, TakenPart } from "../../contract/stores/store-calls.ts";
import { secondsUntil } from "../../http/seconds-until.ts";
import { LOCAL_SHARE, takeOrDegrade } from "../../stores/degraded-take.ts";
import type { Limit, LimitOptions } from "./compiled-limit.ts";
import {
  allLimits,
  createLimitSet,
  type EffectiveLimit,
  isSettled,
  type LimitCounter,
  type LimitSet,
  limitsOf,
} from "./limit-counter.ts";
import { Meters } from "./meters.ts";
import { amountIn, type Override, type OverridesSnapshot } from "./overrides.ts";
import { costDelta, countersOf, fromCarry, isFailure, type PendingCharge, ruleThere, toCarry } from "./pending-charge.ts";
import { policyElement, type RateLimitField, tell, windowSeconds } from "./rate-limit-field.ts";
import { costBefore, unitsIn } from "./request-cost.ts";

type TakeCall = Extract<StoreCall, { kind: "take" }>;

/** In `carry`: what answers tell, of both rows. */
const TOLD = "limit.told";
/** In `carry`, where the store was away: "local" or "open", as answers say it. */
const AWAY = "limit.away";
/** While the store is away nobody knows when it comes back. */
const RETRY_SECONDS = 1;

/** What is asked for one request. */
interface Asked {
  readonly counted: readonly LimitCounter[];
  readonly sized: readonly EffectiveLimit[];
}

interface Judged {
  readonly stop: Refusal | undefined;
  readonly told: readonly RateLimitField[];
  readonly owed: readonly PendingCharge[];
}

export class LimitStep {
  readonly meters: Meters;
  readonly owesLeases: boolean;
  readonly owesAnything: boolean;
  readonly #options: LimitOptions;
  readonly #deps: Deps;
  readonly #set: LimitSet;
  /** Where all callers are asked for the same at all times. */
  readonly #always: Asked | undefined;
  readonly #snapshot: OverridesSnapshot;
  /** In `carry`: what this row owes at the end. */
  readonly #owed: string;

  constructor(options: LimitOptions, route: string, deps: Deps, snapshot: OverridesSnapshot) {
    this.#options = options;
    this.#deps = deps;
    this.#set = createLimitSet(options, route);
    this.#snapshot = snapshot;
    this.#always = alwaysAsked(this.#set);
    this.#owed = `${options.row}.owed`;
    const limits = allLimits(options);
    this.meters = new Meters(limits.map(({ cost }) => cost).filter(isSettled));
    this.owesLeases = limits.some(({ rule }) => rule.algorithm === "concurrency");
    this.owesAnything =
      this.owesLeases || limits.some(({ cost, counts }) => counts !== "requests" || isSettled(cost) || cost.kind === "size");
  }

  decide(exchange: Exchange): Ask<Decision> {
    const nowMs = this.#deps.clock.now();
    const override = this.#overrideOf(exchange);
    const asked = this.#limitsFor(exchange, override, nowMs);
    const take: TakeCall = { kind: "take", takes: takesOf(asked, exchange) };
    const refresh = this.#options.row === "consumer-limit" && exchange.consumer ? this.#snapshot.refresh(nowMs) : undefined;
    if (!refresh) return ask([take], ([taken]) => this.#settle(exchange, asked, taken));
    return ask([take, refresh], ([taken, overrides]) => {
      this.#snapshot.update(overrides, this.#deps.clock.now());
      return this.#settle(exchange, asked, taken, override === undefined);
    });
  }

  /** `isNews`: an override of this consumer, if there is one now, was not known when the limits were asked. */
  #settle(exchange: Exchange, asked: Asked, taken: StoreReply<TakenPart>, isNews = false): MaybePromise<Decision> {
    const nowMs = this.#deps.clock.now();
    const judged = this.#judge(exchange, asked, taken, nowMs);
    const override = isNews && judged.stop ? this.#overrideOf(exchange) : undefined;
    return override ? this.#takeAgain(exchange, override, nowMs) : this.#keep(exchange, judged);
  }

  /** The first request of a new instance: it was refused by a limit that does not hold for this consumer. */
  #takeAgain(exchange: Exchange, override: Override, nowMs: number): MaybePromise<Decision> {
    const asked = this.#limitsFor(exchange, override, nowMs);
    const again = takeOrDegrade(takesOf(asked, exchange), this.#deps.stores, nowMs);
    const judge = (taken: StoreReply<Taken>) => this.#keep(exchange, this.#judge(exchange, asked, alone(taken), nowMs));
    return again instanceof Promise ? again.then(judge) : judge(again);
  }

  /** The places that a request holds among those at once. */
  leasesOf(exchange: Exchange): readonly PendingCharge[] {
    return fromCarry(exchange.carry[this.#owed]).filter(({ by }) => by === "lease");
  }

  /** Puts what is left on an answer; on none that a shared cache may keep, since it belongs to this caller alone. */
  tell(exchange: Exchange, { headers }: AnswerHead): void {
    const { [TOLD]: told, [AWAY]: away } = exchange.carry;
    if ((told ?? away) === undefined || headers.get("cdn-cache-control") !== "no-store") return;
    if (told !== undefined)
      tell(told as unknown as readonly RateLimitField[], headers, this.#deps.clock.now(), this.#options.headers === "both");
    if (away !== undefined) headers.set("x-gateway-limits", String(away));
  }

  end(exchange: Exchange, outcome: Outcome): void {
    const { stores, clock } = this.#deps;
    for (const owed of fromCarry(exchange.carry[this.#owed])) {
      const counters = countersOf(owed, stores);
      const rule = ruleThere(owed);
      const delta = owed.by === "lease" ? 0 : this.#deltaOf(exchange, owed, outcome);
      if (owed.by === "lease") this.#later(counters.release(owed.key, rule, String(owed.held)));
      else if (delta !== 0) this.#later(counters.settle(owed.key, rule, delta, clock.now()));
    }
  }

  #deltaOf(exchange: Exchange, { by, held }: PendingCharge, outcome: Outcome): number {
    const reserved = Number(held);
    switch (by) {
      case "failures":
        return isFailure(outcome) ? 1 : 0;
      case "failures-reserved":
        // Without an answer nothing says that it was none: who guesses may hang up before it comes.
        return isFailure(outcome) || outcome.status === 0 ? 0 : -1;
      default:
        return costDelta(reserved, typeof by === "number" ? this.#used(exchange, by, outcome) : undefined, outcome);
    }
  }

  /** Meters have numbers from 0; sizes, which the request itself tells, negative ones. */
  #used(exchange: Exchange, by: number, { bytesIn }: Outcome): number | undefined {
    return by >= 0 ? this.meters.read(exchange, by) : unitsIn(bytesIn, -by);
  }

  #later(reply: Pending<unknown>): void {
    if (reply instanceof Promise) this.#deps.defer(reply);
  }

  #overrideOf({ consumer }: Exchange): Override | undefined {
    return consumer && this.#options.row === "consumer-limit" ? this.#snapshot.of(consumer.id) : undefined;
  }

  #limitsFor({ consumer }: Exchange, override: Override | undefined, nowMs: number): Asked {
    if (this.#always && !override) return this.#always;
    const counted = limitsOf(this.#set, override?.tier ?? consumer?.tier);
    return { counted, sized: counted.map((one) => one.effectiveAt(nowMs, amountIn(override, one.limit.name))) };
  }

  #judge(exchange: Exchange, { counted, sized }: Asked, reply: StoreReply<TakenPart>, nowMs: number): Judged {
    // Only counters that were not told what to do then say so.
    if (reply.state !== "ok") return awayJudgement(reply.reason);
    const { charged, counts } = reply.value;
    const told: RateLimitField[] = [];
    const owed: PendingCharge[] = [];
    const refused: Refused[] = [];
    for (let i = 0; i < counts.length; i++) {
      const count = counts[i]!;
      const { limit, keyOf } = counted[i]!;
      const { rule, element } = sized[i]!;
      if (count.away !== undefined) noteAway(exchange, count.away);
      if (charged) {
        const debt = this.#debtOf(limit, count, exchange);
        if (debt) owed.push({ key: keyOf(exchange), rule, ...debt });
      }
      if (limit.shadow) {
        if (!count.allowed) noteShadow(exchange, limit.name);
        continue;
      }
      if (count.away === "deny") return awayJudgement(`the limit "${limit.name}" denies while the store is away`);
      const isConcurrency = rule.algorithm === "concurrency";
      const retrySeconds = count.allowed ? 0 : isConcurrency ? RETRY_SECONDS : secondsUntil(count.resetMs, nowMs);
      if (!count.allowed) refused.push({ limit, rule, retrySeconds });
      if (count.away === "allow" || count.unasked) continue;
      const said = count.away === undefined ? element : policyElement(limit.name, shareOf(rule, LOCAL_SHARE), limit.unit);
      told.push([said, count.remaining, isConcurrency ? 0 : count.resetMs, retrySeconds]);
    }
    return { stop: refused.length === 0 ? undefined : refusalOf(refused), told, owed };
  }

  /** What is to be put right at the end of a request that was charged; undefined for most. */
  #debtOf(
    { cost, counts }: Limit,
    { allowed, lease, away }: Count,
    { request }: Exchange,
  ): Omit<PendingCharge, "key" | "rule"> | undefined {
    if (!allowed || away === "allow") return undefined;
    const where = away === undefined ? {} : { away };
    if (lease !== undefined) return { by: "lease", held: lease, ...where };
    if (counts !== "requests") return { by: counts, held: counts === "failures" ? 0 : 1, ...where };
    if (isSettled(cost)) return { by: this.meters.indexOf(cost), held: cost.reserve, ...where };
    // A body of unknown length is counted as it passes.
    const isUnknown = cost.kind === "size" && request.body !== null && !request.headers.has("content-length");
    return isUnknown ? { by: -cost.bytes, held: 1, ...where } : undefined;
  }

  /** Leaves behind what later hooks need. */
  #keep(exchange: Exchange, { stop, told, owed }: Judged): Decision {
    const { carry } = exchange;
    if (told.length > 0) {
      const earlier = carry[TOLD] as unknown as readonly RateLimitField[] | undefined;
      carry[TOLD] = (earlier ? [...earlier, ...told] : told) as unknown as Json;
    }
    if (owed.length > 0) carry[this.#owed] = toCarry(owed);
    return stop;
  }
}

function alwaysAsked({ plain, byTier }: LimitSet): Asked | undefined {
  if (byTier || plain.some(({ limit }) => limit.rule.algorithm === "period")) return undefined;
  return { counted: plain, sized: plain.map((one) => one.effectiveAt(0)) };
}

/** A take that went by itself. */
function alone(reply: StoreReply<Taken>): StoreReply<TakenPart> {
  return reply.state === "ok" ? ok({ ...reply.value, charged: reply.value.allowed }) : reply;
}

interface Refused {
  readonly limit: Limit;
  readonly rule: CounterRule;
  readonly retrySeconds: number;
}

function takesOf({ counted, sized }: Asked, exchange: Exchange): Take[] {
  return counted.map(({ limit, keyOf }, index) => ({
    key: keyOf(exchange),
    rule: sized[index]!.rule,
    cost: costBefore(limit, exchange.request),
    enforce: !limit.shadow,
    onUnavailable: limit.onUnavailable,
    exact: limit.exact,
  }));
}

/** Of several that refused, the one that does so longest is told, since nothing helps before it. */
function refusalOf(refused: readonly Refused[]): Refusal {
  const longest = refused.reduce((worst, one) => (one.retrySeconds > worst.retrySeconds ? one : worst));
  const { limit, rule, retrySeconds } = longest;
  const what = limit.unit === "requests" ? "requests" : limit.unit;
  const span = rule.algorithm === "concurrency" ? "at once" : `in ${windowSeconds(rule)} seconds`;
  return refuse(rule.algorithm === "period" ? "quota-exhausted" : "rate-limited", {
    detail: `"${limit.name}" allows ${rule.limit} ${what} ${span}. Try again in ${retrySeconds} ${retrySeconds === 1 ? "second" : "seconds"}.`,
    reason: `over ${refused.map(({ limit: { name } }) => `"${name}"`).join(", ")}`,
    headers: ["retry-after", String(retrySeconds)],
    // The member that the draft's problem types have (draft-ietf-httpapi-ratelimit-headers-10 section 7).
    members: { "violated-policies": refused.map(({ limit: { name } }) => name) },
  });
}

function awayJudgement(reason: string): Judged {
  const headers = ["retry-after", String(RETRY_SECONDS)];
  return { stop: refuse("store-unavailable", { headers, reason }), told: [], owed: [] };
}

/** In the open: answers and the record say when a limit was not the one that the config names. */
function noteAway({ carry, record }: Exchange, away: OnUnavailable): void {
  if (away === "deny") return;
  if (carry[AWAY] !== "open") carry[AWAY] = away === "local" ? "local" : "open";
  record.reason ??= "the counters' store was away: limits did as their `onUnavailable` says";
}

/** A limit in shadow mode among others that are not. */
function noteShadow({ record }: Exchange, name: string): void {
  record.steps.push({ policy: "limit", verdict: "would-refuse", code: "rate-limited", reason: `over "${name}"`, ms: 0 });
}
