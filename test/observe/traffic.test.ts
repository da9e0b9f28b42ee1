/** What charts show: requests of several minutes and routes, and nothing of other times. */
import { expect, test } from "vitest";
import { ok, unavailable } from "#lib/contract/stores/reply.ts";
import { createRequestMetrics } from "#lib/observe/request-metrics.ts";
import { PERIODS, type Period, readTraffic, type Traffic } from "#lib/observe/traffic.ts";
import { MemoryMetrics } from "#lib/stores/memory/memory-metrics.ts";
import { recordOf } from "./record.ts";

const MINUTE_MS = 60_000;
const NOW_MS = Math.floor(1_800_000_000_000 / 86_400_000) * 86_400_000 + 12 * 3_600_000;
const asIs = <T>(record: T): T => record;

async function trafficOf(
  requests: readonly (readonly [agoMs: number, fields: Parameters<typeof recordOf>[0]])[],
  period: Period,
): Promise<Traffic> {
  const store = new MemoryMetrics();
  let nowMs = 0;
  const metrics = createRequestMetrics({ store, clock: { now: () => nowMs }, batchId: () => "a" });
  for (const [agoMs, fields] of requests.toSorted(([a], [b]) => b - a)) {
    nowMs = NOW_MS - agoMs;
    metrics.add(recordOf(fields), asIs);
    await metrics.flush();
  }
  const traffic = await readTraffic(store, period, NOW_MS);
  if ("state" in traffic) throw new Error(traffic.reason);
  return traffic;
}

test("outcomes and durations by minute, the busiest routes, codes, limited callers and the cache", async () => {
  const traffic = await trafficOf(
    [
      [0, { durationMs: 10 }],
      [0, { durationMs: 100, route: "/slow" }],
      [0, { source: "cache", attempts: [], cacheStatus: "frontdesk; hit; ttl=3" }],
      [2 * MINUTE_MS, { status: 429, source: "gateway", code: "rate-limited", attempts: [], consumer: "web:ada" }],
      [2 * MINUTE_MS, { status: 404 }],
      [2 * MINUTE_MS, { status: 502, source: "gateway", code: "backend-unreachable" }],
      [20 * MINUTE_MS, { status: 500 }],
    ],
    "15m",
  );
  expect(traffic).toMatchObject({
    stepMs: MINUTE_MS,
    requests: 6,
    outcomes: { ok: 2, cache: 1, refused: 1, rejected: 1, failed: 1 },
    codes: [
      { name: "rate-limited", count: 1 },
      { name: "backend-unreachable", count: 1 },
    ],
    limited: [{ name: "web:ada", count: 1 }],
    cache: { hit: 1, stale: 0, miss: 0, bypass: 0 },
  });
  expect(traffic.points).toHaveLength(15);
  expect(traffic.points.at(-1)).toMatchObject({ time: new Date(NOW_MS).toISOString(), ok: 2, cache: 1, failed: 0 });
  expect(traffic.points.at(-2)).toMatchObject({ ok: 0, p50: null, p95: null });
  expect(traffic.points.at(-3)).toMatchObject({ refused: 1, rejected: 1, failed: 1 });
  expect(traffic.routes.map(({ route, requests }) => [route, requests])).toEqual([
    ["/orders", 5],
    ["/slow", 1],
  ]);
  expect(traffic.routes[1]!.p95).toBeGreaterThan(70);
  expect(traffic.routes[1]!.p95).toBeLessThanOrEqual(128);
});

test.each(Object.keys(PERIODS) as Period[])("a request of the beginning of %s is in it, one of before is not", async (period) => {
  const { span, points } = PERIODS[period];
  const traffic = await trafficOf(
    [
      [span.spanMs * (points - 1), {}],
      [span.spanMs * (points + 1), {}],
    ],
    period,
  );
  expect(traffic.requests).toBe(1);
  expect(traffic.points[0]!.ok).toBe(1);
});

test("a store that does not answer is told", async () => {
  expect(await readTraffic({ add: () => ok(undefined), read: () => unavailable("timeout") }, "1h", NOW_MS)).toEqual(
    unavailable("timeout"),
  );
});
