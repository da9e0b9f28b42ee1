/** `least-inflight`: the target with the fewest requests under way for its weight. A slow one gets fewer, since its take longer. */
import type { Random } from "../random.ts";
import type { BackendTarget } from "../target.ts";
import type { Choose } from "./choose.ts";

export function leastInFlight(slowStartMs: number, random: Random): Choose {
  return (fit, _exchange, nowMs) => {
    // Among equals the first that is met wins: beginning anywhere, that is each of them alike.
    const first = Math.floor(random() * fit.length);
    let chosen = fit[first]!;
    let least = loadOf(chosen, nowMs, slowStartMs);
    for (let i = 1; i < fit.length; i++) {
      const target = fit[first + i < fit.length ? first + i : first + i - fit.length]!;
      const load = loadOf(target, nowMs, slowStartMs);
      if (load < least) {
        chosen = target;
        least = load;
      }
    }
    return chosen;
  };
}

/** What it would carry with this request, for the weight that it has now. */
function loadOf({ state, weight }: BackendTarget, nowMs: number, slowStartMs: number): number {
  return (state.inFlight + 1) / (weight * state.shareAt(nowMs, slowStartMs));
}
