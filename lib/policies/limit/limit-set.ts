/** The limits that a request meets: those of its route, and those of its consumer's tier. */
import type { LimitOptions } from "./compiled-limit.ts";
import { createLimitCounter, type EffectiveLimit, type LimitCounter } from "./limit-counter.ts";
import { amountIn, type Override } from "./overrides.ts";

export class LimitSet {
  /** Of every request. */
  readonly #plain: readonly LimitCounter[];
  /** By tier; undefined where the route has no limits by tier. */
  readonly #byTier: ReadonlyMap<string, readonly LimitCounter[]> | undefined;
  readonly #standardTier: string;
  /** The limits, where they are the same for all callers at all times. */
  readonly #constant: readonly EffectiveLimit[] | undefined;

  constructor({ limits, tiers }: LimitOptions, route: string) {
    const plain = limits.map((limit) => createLimitCounter(limit, route));
    this.#plain = plain;
    this.#standardTier = tiers?.standard ?? "";
    this.#byTier =
      tiers === null
        ? undefined
        : new Map(
            Object.entries(tiers.byName).map(([name, own]) => [
              name,
              [...plain, ...own.map((limit) => createLimitCounter(limit, route))],
            ]),
          );
    const isConstant = tiers === null && plain.every(({ limit }) => limit.rule.algorithm !== "period");
    this.#constant = isConstant ? plain.map((counter) => counter.effectiveAt(0)) : undefined;
  }

  countersFor(tier: string | undefined): readonly LimitCounter[] {
    if (!this.#byTier) return this.#plain;
    return (tier === undefined ? undefined : this.#byTier.get(tier)) ?? this.#byTier.get(this.#standardTier)!;
  }

  limitsFor(tier: string | undefined, override: Override | undefined, nowMs: number): readonly EffectiveLimit[] {
    if (this.#constant && !override) return this.#constant;
    return this.countersFor(override?.tier ?? tier).map((counter) =>
      counter.effectiveAt(nowMs, amountIn(override, counter.limit.name)),
    );
  }
}
