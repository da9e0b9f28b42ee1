/** A request's takes: what it costs each of its limits before its answer is known. */
import type { Exchange } from "../../contract/exchange.ts";
import type { GatewayRequest } from "../../contract/request.ts";
import type { Take } from "../../contract/stores/counters.ts";
import type { Limit } from "./compiled-limit.ts";
import type { EffectiveLimit } from "./limit-counter.ts";

export function takesOf(limits: readonly EffectiveLimit[], exchange: Exchange): Take[] {
  return limits.map(({ limit, keyOf, rule }) => ({
    key: keyOf(exchange),
    rule,
    cost: costBefore(limit, exchange.request),
    enforce: !limit.shadow,
    onUnavailable: limit.onUnavailable,
    exact: limit.exact,
  }));
}

function costBefore({ cost, counts }: Limit, request: GatewayRequest): number {
  // Looks, and takes nothing.
  if (counts === "failures") return 0;
  switch (cost.kind) {
    case "fixed":
      return cost.units;
    case "size":
      return unitsIn(Number(request.headers.get("content-length") ?? 0), cost.bytes);
    default:
      return cost.reserve;
  }
}

/** One for each part that has begun, and one for a body that is empty or of unknown length. */
export function unitsIn(bytes: number, bytesEach: number): number {
  return Math.max(1, Math.ceil(bytes / bytesEach));
}
