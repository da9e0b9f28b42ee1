/**
 * `round-robin`: each in turn, by weight, the turns of a heavy one spread among those of the others (as nginx does it). Each time
 * every target is owed its weight, the one that is owed most is chosen, and pays what all of them got.
 */
import type { Choose } from "./choose.ts";

export function roundRobin(slowStartMs: number): Choose {
  return (fit, _exchange, nowMs) => {
    let chosen = fit[0]!;
    let total = 0;
    for (const target of fit) {
      const { state } = target;
      const weight = state.warmSinceMs === undefined ? target.weight : target.weight * state.shareAt(nowMs, slowStartMs);
      state.credit += weight;
      total += weight;
      if (state.credit > chosen.state.credit) chosen = target;
    }
    chosen.state.credit -= total;
    return chosen;
  };
}
