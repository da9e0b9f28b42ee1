/** The limits of a route in one phase: asks for a request's takes, keeps what its answer and its end need, and settles it. */
import { type Ask, ask } from "../../contract/ask.ts";
import type { Deps } from "../../contract/deps.ts";
import type { Exchange, ResponseHead } from "../../contract/exchange.ts";
import type { Json } from "../../contract/json.ts";
import type { MaybePromise } from "../../contract/maybe-promise.ts";
import type { Decision } from "../../contract/policy.ts";
import type { Outcome } from "../../contract/record.ts";
import type { Taken } from "../../contract/stores/counters.ts";
import { ok, type StoreReply } from "../../contract/stores/reply.ts";
import type { TakenPart } from "../../contract/stores/store-calls.ts";
import { takeOrDegrade } from "../../stores/degraded-take.ts";
import type { LimitOptions } from "./compiled-limit.ts";
import { type Degraded, type Judgement, judgeLimits } from "./judge-limits.ts";
import { allLimits, type EffectiveLimit, isSettled } from "./limit-counter.ts";
import { LimitSet } from "./limit-set.ts";
import { Meters } from "./meters.ts";
import type { Override, OverridesSnapshot } from "./overrides.ts";
import { type LeaseCharge, type PendingCharge, settleCharge } from "./pending-charge.ts";
import { type RateLimitField, setRateLimitFields } from "./rate-limit-field.ts";
import { takesOf } from "./request-cost.ts";

/** In `state`: what answers tell, of both phases. */
const FIELDS = "limit.fields";
/** In `state`, where the store was away: `Degraded`, as answers say it. */
const DEGRADED = "limit.degraded";

export class LimitStep {
  readonly meters: Meters;
  readonly takesLeases: boolean;
  readonly leavesCharges: boolean;
  readonly #options: LimitOptions;
  readonly #deps: Deps;
  readonly #set: LimitSet;
  readonly #snapshot: OverridesSnapshot;
  /** In `state`: the pending charges of this phase. */
  readonly #charges: string;

  constructor(options: LimitOptions, route: string, deps: Deps, snapshot: OverridesSnapshot) {
    this.#options = options;
    this.#deps = deps;
    this.#set = new LimitSet(options, route);
    this.#snapshot = snapshot;
    this.#charges = `${options.phase}.charges`;
    const limits = allLimits(options);
    this.meters = new Meters(limits.map(({ cost }) => cost).filter(isSettled));
    this.takesLeases = limits.some(({ rule }) => rule.algorithm === "concurrency");
    this.leavesCharges =
      this.takesLeases || limits.some(({ cost, counts }) => counts !== "requests" || isSettled(cost) || cost.kind === "size");
  }

  decide(exchange: Exchange): Ask<Decision> {
    const nowMs = this.#deps.clock.now();
    const override = this.#overrideOf(exchange);
    const limits = this.#set.limitsFor(exchange.consumer?.tier, override, nowMs);
    const take = { kind: "take", takes: takesOf(limits, exchange) } as const;
    const refresh = this.#options.phase === "consumer-limit" && exchange.consumer ? this.#snapshot.refresh(nowMs) : undefined;
    if (!refresh) return ask([take], ([taken]) => this.#keep(exchange, this.#judge(exchange, limits, taken)));
    return ask([take, refresh], ([taken, overrides]) => {
      this.#snapshot.update(overrides, this.#deps.clock.now());
      const judgement = this.#judge(exchange, limits, taken);
      const news = override || !judgement.stop ? undefined : this.#overrideOf(exchange);
      return news ? this.#takeAgain(exchange, news) : this.#keep(exchange, judgement);
    });
  }

  /** The leases that a request holds. */
  leasesOf(exchange: Exchange): readonly LeaseCharge[] {
    return this.#chargesOf(exchange).filter((charge) => charge.kind === "lease");
  }

  /** Tells what is left of the limits; on no answer that a shared cache may keep, since it belongs to this caller alone. */
  tell({ state }: Exchange, { headers }: ResponseHead): void {
    const fields = state[FIELDS] as unknown as readonly RateLimitField[] | undefined;
    const degraded = state[DEGRADED] as Degraded | undefined;
    if ((fields ?? degraded) === undefined || headers.get("cdn-cache-control") !== "no-store") return;
    if (fields) setRateLimitFields(fields, headers, this.#deps.clock.now(), this.#options.headers === "both");
    if (degraded) headers.set("x-gateway-limits", degraded);
  }

  end(exchange: Exchange, outcome: Outcome): void {
    for (const charge of this.#chargesOf(exchange)) {
      const used = charge.kind === "meter" ? this.meters.read(exchange, charge.meter) : undefined;
      const settled = settleCharge(charge, outcome, used, this.#deps);
      if (settled instanceof Promise) this.#deps.defer(settled);
    }
    // A refresh in the background outlives the request, and must not hold its places again.
    delete exchange.state[this.#charges];
  }

  /** The first request of a new instance: a limit refused it that an override has changed for its consumer. */
  #takeAgain(exchange: Exchange, override: Override): MaybePromise<Decision> {
    const nowMs = this.#deps.clock.now();
    const limits = this.#set.limitsFor(exchange.consumer?.tier, override, nowMs);
    const again = takeOrDegrade(takesOf(limits, exchange), this.#deps.stores, nowMs);
    const judge = (taken: StoreReply<Taken>) => this.#keep(exchange, this.#judge(exchange, limits, alone(taken)));
    return again instanceof Promise ? again.then(judge) : judge(again);
  }

  #overrideOf({ consumer }: Exchange): Override | undefined {
    return consumer && this.#options.phase === "consumer-limit" ? this.#snapshot.of(consumer.id) : undefined;
  }

  #judge(exchange: Exchange, limits: readonly EffectiveLimit[], taken: StoreReply<TakenPart>): Judgement {
    return judgeLimits(limits, taken, exchange, this.meters, this.#deps.clock.now());
  }

  /** Leaves behind what later hooks need. */
  #keep({ state, record }: Exchange, { stop, fields, charges, degraded, wouldRefuse }: Judgement): Decision {
    if (fields.length > 0) {
      const before = state[FIELDS] as unknown as readonly RateLimitField[] | undefined;
      state[FIELDS] = (before ? [...before, ...fields] : fields) as unknown as Json;
    }
    if (charges.length > 0) state[this.#charges] = charges as unknown as Json;
    // In the open: answers and the record say when a limit was not the one that the config names.
    if (degraded) {
      if (state[DEGRADED] !== "open") state[DEGRADED] = degraded;
      record.reason ??= "the counters' store was away: limits did as their `onUnavailable` says";
    }
    for (const name of wouldRefuse)
      record.steps.push({ policy: "limit", verdict: "would-refuse", code: "rate-limited", reason: `over "${name}"`, ms: 0 });
    return stop;
  }

  #chargesOf({ state }: Exchange): readonly PendingCharge[] {
    return (state[this.#charges] as unknown as readonly PendingCharge[] | undefined) ?? [];
  }
}

/** A take that went by itself. */
function alone(taken: StoreReply<Taken>): StoreReply<TakenPart> {
  return taken.state === "ok" ? ok({ ...taken.value, charged: taken.value.allowed }) : taken;
}
