/** `GET /gateway/api/traffic`: what charts show of a period. */
import type { Json } from "../contract/json.ts";
import { PERIODS, type Period, readTraffic } from "../observe/traffic.ts";
import { type ApiContext, type Operation, refuseUnavailable } from "./api.ts";

/** `flush` hands over what this instance has counted. */
export function trafficOperations({ stores, now }: ApiContext, flush: () => Promise<void>): readonly Operation[] {
  return [
    {
      name: "getTraffic",
      method: "GET",
      path: "traffic",
      summary:
        "Requests of a period over time: outcomes, durations, the busiest routes, codes of refusals, limited callers, the cache",
      query: { period: { type: "string", enum: Object.keys(PERIODS), default: "1h", description: "How far back" } },
      status: 200,
      answer: {
        type: "object",
        required: ["period", "stepMs", "points", "requests", "outcomes", "routes", "codes", "limited", "cache"],
      },
      refuses: ["store-unavailable"],
      async run({ query: { period } }) {
        await flush();
        const traffic = await readTraffic(stores.metrics, period as Period, now());
        return "state" in traffic ? refuseUnavailable(traffic) : { body: traffic as unknown as Json };
      },
    },
  ];
}
