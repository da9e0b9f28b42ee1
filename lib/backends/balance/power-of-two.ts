/**
 * `p2c`: two drawn by lot, each by its weight, and the less busy of them. Nearly as even as looking at all of them, and several
 * gateways that know nothing of each other do not all run to the same idle target.
 */
import type { Random } from "../random.ts";
import type { BackendTarget } from "../target.ts";
import type { Choose } from "./choose.ts";

export function powerOfTwo(slowStartMs: number, random: Random): Choose {
  return (fit, _exchange, nowMs) => {
    let total = 0;
    for (const target of fit) total += weightOf(target, nowMs, slowStartMs);
    const one = drawn(fit, random() * total, nowMs, slowStartMs);
    const other = drawn(fit, random() * total, nowMs, slowStartMs);
    return other.state.inFlight / other.weight < one.state.inFlight / one.weight ? other : one;
  };
}

function drawn(fit: readonly BackendTarget[], lot: number, nowMs: number, slowStartMs: number): BackendTarget {
  let left = lot;
  for (const target of fit) {
    left -= weightOf(target, nowMs, slowStartMs);
    if (left < 0) return target;
  }
  return fit.at(-1)!;
}

function weightOf({ state, weight }: BackendTarget, nowMs: number, slowStartMs: number): number {
  return state.warmSinceMs === undefined ? weight : weight * state.shareAt(nowMs, slowStartMs);
}
