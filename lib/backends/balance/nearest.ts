/**
 * `nearest`: the target at the smallest distance along a great circle from where the caller is. Those that stand in one place take turns,
 * and so do all of them for a caller whose coordinates nobody tells.
 */
import type { BackendTarget } from "../target.ts";
import type { Choose } from "./choose.ts";
import { type Point, pointAt } from "./point.ts";
import { roundRobin } from "./round-robin.ts";

export function nearest(slowStartMs: number): Choose {
  const inTurn = roundRobin(slowStartMs);
  /** Filled for one choice at a time. */
  const closest: BackendTarget[] = [];
  return (fit, exchange, nowMs) => {
    const { latitude, longitude } = exchange.request.client.geo ?? {};
    if (latitude === undefined || longitude === undefined) return inTurn(fit, exchange, nowMs);
    const [x, y, z] = pointAt(latitude, longitude);
    let largest = Number.NEGATIVE_INFINITY;
    let count = 0;
    for (const target of fit) {
      // A canary need not say where it is: whoever is sent to it goes there, and it is alone then.
      const at = target.at ?? ORIGIN;
      const product = x * at[0] + y * at[1] + z * at[2];
      if (product > largest) {
        largest = product;
        count = 0;
      }
      if (product === largest) closest[count++] = target;
    }
    closest.length = count;
    return inTurn(closest, exchange, nowMs);
  };
}

const ORIGIN: Point = [0, 0, 0];
