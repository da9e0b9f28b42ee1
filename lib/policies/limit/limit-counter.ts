/** A limit's counter, made when the config is loaded: its key, its rule, and its element of RateLimit-Policy. */
import type { CounterRule } from "../../contract/stores/counters.ts";
import type { Limit, LimitOptions, Settled } from "./compiled-limit.ts";
import { createCountKey, type Subject } from "./count-key.ts";
import { periodAt } from "./period.ts";
import { policyElement } from "./rate-limit-field.ts";

/** A limit as it holds at a time and for a caller. */
export interface EffectiveLimit {
  readonly limit: Limit;
  keyOf(subject: Subject): string;
  readonly rule: CounterRule;
  /** Its element of RateLimit-Policy. */
  readonly element: string;
}

export interface LimitCounter {
  readonly limit: Limit;
  keyOf(subject: Subject): string;
  /** `amount` replaces the config's: an override. */
  effectiveAt(nowMs: number, amount?: number): EffectiveLimit;
}

/**
 * A place that is not given back (its process died) is free again after so long. It is renewed far more often; an upload that
 * Next holds before the handler starts must fit in.
 */
export const LEASE_MS = 60_000;

/** Amounts come from overrides, so they are few; a bound all the same. */
const MAX_AMOUNTS = 1000;

export function createLimitCounter(limit: Limit, route: string): LimitCounter {
  const keyOf = createCountKey(limit, route);
  const byAmount = new Map<number, EffectiveLimit>();
  const standard = amountOf(limit);
  /** The config's own amount, where it has no calendar period: nearly every request asks for it. */
  const constant = limit.rule.algorithm === "period" ? undefined : make(standard, 0);

  function make(amount: number, nowMs: number): EffectiveLimit {
    const rule = ruleOf(limit, amount, nowMs);
    return { limit, keyOf, rule, element: policyElement(limit.name, rule, limit.unit) };
  }

  function effectiveAt(nowMs: number, given?: number): EffectiveLimit {
    if (given === undefined && constant) return constant;
    const amount = given ?? standard;
    const known = byAmount.get(amount);
    if (known && !(known.rule.algorithm === "period" && isOver(known.rule, nowMs))) return known;
    const effective = make(amount, nowMs);
    if (byAmount.size >= MAX_AMOUNTS) byAmount.clear();
    byAmount.set(amount, effective);
    return effective;
  }

  return { limit, keyOf, effectiveAt };
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
