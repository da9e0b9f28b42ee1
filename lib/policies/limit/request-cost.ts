/** What a request takes of a limit before its answer is known. */
import type { GatewayRequest } from "../../contract/request.ts";
import type { Limit } from "./compiled-limit.ts";

export function costBefore({ cost, counts }: Limit, request: GatewayRequest): number {
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
