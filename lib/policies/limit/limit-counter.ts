/** A limit made ready when the config is loaded: its key, its rule, and the words that answers have for it. */
import type { CounterRule } from "../../contract/stores/counters.ts";
import type { Limit, LimitOptions, Settled } from "./compiled-limit.ts";
import { createCountKey, type Subject } from "./count-key.ts";
import { periodAt } from "./period.ts";
import { policyElement } from "./rate-limit-field.ts";

/** A limit as it stands at a time and for a caller. */
export interface EffectiveLimit {
  readonly rule: CounterRule;
  /** Its element of RateLimit-Policy. */
  readonly element: string;
}

export interface LimitCounter {
  readonly limit: Limit;
  readonly keyOf: (subject: Subject) => string;
  /** `amount` in place of the config's: an override. */
  effectiveAt(nowMs: number, amount?: number): EffectiveLimit;
}

/**
 * A place that is not given back (its process died) is free again after so long. It is renewed far more often; an upload that
 * Next holds before the handler starts must fit in.
 */
export const LEASE_MS = 60_000;

/** Amounts come from overrides, so they are few; a bound all the same. */
const MAX_SIZES = 1000;

export function createLimitCounter(limit: Limit, route: string): LimitCounter {
  const sizes = new Map<number, EffectiveLimit>();
  const standard = amountOf(limit);
  /** The config's own, where it does not hang on the calendar: what nearly every request asks for. */
  const constant = limit.rule.algorithm === "period" ? undefined : sizeOf(standard, 0);

  function sizeOf(amount: number, nowMs: number): EffectiveLimit {
    const rule = ruleOf(limit, amount, nowMs);
    return { rule, element: policyElement(limit.name, rule, limit.unit) };
  }

  function effectiveAt(nowMs: number, given?: number): EffectiveLimit {
    if (given === undefined && constant) return constant;
    const amount = given ?? standard;
    const known = sizes.get(amount);
    if (known && !(known.rule.algorithm === "period" && isOver(known.rule, nowMs))) return known;
    const sized = sizeOf(amount, nowMs);
    if (sizes.size >= MAX_SIZES) sizes.clear();
    sizes.set(amount, sized);
    return sized;
  }

  return { limit, keyOf: createCountKey(limit, route), effectiveAt };
}

/** What limits a request of a consumer of this tier meets. */
export interface LimitSet {
  readonly plain: readonly LimitCounter[];
  /** By tier; undefined where the route does not say "tier". */
  readonly byTier: ReadonlyMap<string, readonly LimitCounter[]> | undefined;
  readonly standardTier: string;
}

export function createLimitSet({ limits, tiers }: LimitOptions, route: string): LimitSet {
  const plain = limits.map((limit) => createLimitCounter(limit, route));
  if (!tiers) return { plain, byTier: undefined, standardTier: "" };
  const byTier = new Map(
    Object.entries(tiers.byName).map(([name, own]) => [
      name,
      [...plain, ...own.map((limit) => createLimitCounter(limit, route))],
    ]),
  );
  return { plain, byTier, standardTier: tiers.standard };
}

export function limitsOf({ plain, byTier, standardTier }: LimitSet, tier: string | undefined): readonly LimitCounter[] {
  if (!byTier) return plain;
  return (tier === undefined ? undefined : byTier.get(tier)) ?? byTier.get(standardTier)!;
}

/** Every limit of a step, of whatever tier. */
export function allLimits({ limits, tiers }: LimitOptions): readonly Limit[] {
  return [...limits, ...Object.values(tiers?.byName ?? {}).flat()];
}

export function isSettled(cost: Limit["cost"]): cost is Settled {
  return cost.kind === "header" || cost.kind === "json" || cost.kind === "usage";
}

function isOver({ startMs, endMs }: Extract<CounterRule, { algorithm: "period" }>, nowMs: number): boolean {
  return nowMs < startMs || nowMs >= endMs;
}

function amountOf({ rule }: Limit): number {
  if (rule.algorithm === "concurrency") return rule.amount;
  return rule.algorithm === "token-bucket" ? (rule.burst ?? rule.rate.amount) : rule.rate.amount;
}

function ruleOf({ rule }: Limit, limit: number, nowMs: number): CounterRule {
  switch (rule.algorithm) {
    case "concurrency":
      return { algorithm: "concurrency", limit, leaseMs: LEASE_MS };
    case "period":
      return { algorithm: "period", limit, ...periodAt(rule.rate.per, rule.anchorSeconds, nowMs) };
    case "token-bucket": {
      const { amount, windowMs } = rule.rate;
      // An override of a bucket's size changes what arrives in the same measure.
      const refill = Math.max(1, Math.round((amount * limit) / (rule.burst ?? amount)));
      return { algorithm: "token-bucket", limit, refill, windowMs };
    }
    default:
      return { algorithm: rule.algorithm, limit, windowMs: rule.rate.windowMs };
  }
}
