/** Metrics: what is counted, that instances add up exactly, what an outage of the store loses, and that memory is bounded. */
import { describe, expect, test } from "vitest";
import { MAX_METRIC_NAMES, type MetricBatch, type Metrics } from "#lib/contract/stores/metrics.ts";
import { ok, unavailable } from "#lib/contract/stores/reply.ts";
import { exposition } from "#lib/observe/exposition.ts";
import { createRequestMetrics } from "#lib/observe/request-metrics.ts";
import { MemoryMetrics } from "#lib/stores/memory/memory-metrics.ts";
import { recordOf } from "./record.ts";

const NOW_MS = 1_800_000_000_000;
const asIs = <T>(record: T): T => record;

let batches = 0;
function instance(store: Metrics) {
  const metrics = createRequestMetrics({
    store,
    clock: { now: () => NOW_MS },
    batchId: () => String(batches++),
  });
  return { ...metrics, add: (fields: Parameters<typeof recordOf>[0]) => metrics.add(recordOf(fields), asIs) };
}

function sumsIn(store: MemoryMetrics, table = "total"): Record<string, number> {
  const reply = store.read([table], NOW_MS);
  return reply.state === "ok" ? Object.fromEntries(reply.value[0]!) : {};
}

test("a request in all its metrics", async () => {
  const store = new MemoryMetrics();
  const { add, flush } = instance(store);
  add({ bytesIn: 5, cacheStatus: "frontdesk; fwd=uri-miss; stored" });
  await flush();
  expect(sumsIn(store)).toEqual({
    'frontdesk_cache_requests_total{http_route="/orders",result="miss"}': 1,
    'frontdesk_request_bytes_total{http_route="/orders"}': 5,
    'frontdesk_requests_total{http_route="/orders",http_request_method="GET",http_response_status_code="200",source="backend"}': 1,
    'frontdesk_response_bytes_total{http_route="/orders"}': 100,
    'http_client_request_duration_seconds{server_address="orders.example.com",status_class="2xx"}#9': 1,
    'http_client_request_duration_seconds{server_address="orders.example.com",status_class="2xx"}#sum': 11_000,
    'http_server_request_duration_seconds{http_route="/orders",status_class="2xx"}#10': 1,
    'http_server_request_duration_seconds{http_route="/orders",status_class="2xx"}#sum': 12_000,
  });
  expect(sumsIn(store, `minute:${NOW_MS / 60_000}`)).toEqual({ "outcome:ok": 1, "route:/orders#10": 1, "cache:miss": 1 });
  for (const table of [`10m:${NOW_MS / 600_000}`, `hour:${NOW_MS / 3_600_000}`, `day:${Math.floor(NOW_MS / 86_400_000)}`])
    expect(sumsIn(store, table)).toEqual(sumsIn(store, `minute:${NOW_MS / 60_000}`));
});

test("a backend's time ends with the head of its answer, however long the body takes", async () => {
  const store = new MemoryMetrics();
  const { add, flush } = instance(store);
  add({ attempts: [{ target: "https://orders.example.com", status: 200, wasSent: true, headMs: 2, ms: 5_000 }] });
  await flush();
  expect(sumsIn(store)).toMatchObject({
    'http_client_request_duration_seconds{server_address="orders.example.com",status_class="2xx"}#sum': 2_000,
  });
});

test("a refusal, an unknown method, a retry and a failed attempt", async () => {
  const store = new MemoryMetrics();
  const { add, flush } = instance(store);
  add({ status: 429, source: "gateway", code: "rate-limited", attempts: [], consumer: "web:ada" });
  add({ method: "BREW", route: undefined, status: 404, source: "gateway", code: "route-not-found", attempts: [] });
  const failed = { target: "http://10.0.0.1:8080/base", error: "ECONNREFUSED", wasSent: false, ms: 1 };
  add({ attempts: [failed, { ...failed, error: undefined, status: 502 }], status: 502, source: "backend" });
  await flush();
  expect(sumsIn(store)).toMatchObject({
    'frontdesk_refusals_total{http_route="/orders",code="rate-limited"}': 1,
    'frontdesk_requests_total{http_route="(none)",http_request_method="_OTHER",http_response_status_code="404",source="gateway"}': 1,
    'frontdesk_retries_total{http_route="/orders"}': 1,
    'http_client_request_duration_seconds{server_address="10.0.0.1:8080",status_class="error"}#2': 1,
    'http_client_request_duration_seconds{server_address="10.0.0.1:8080",status_class="5xx"}#2': 1,
  });
  expect(sumsIn(store, `minute:${NOW_MS / 60_000}`)).toMatchObject({
    "outcome:refused": 2,
    "outcome:failed": 1,
    "code:rate-limited": 1,
    "limited:web:ada": 1,
  });
});

test("four instances add up exactly to 100,000 requests", async () => {
  const store = new MemoryMetrics();
  const instances = Array.from({ length: 4 }, () => instance(store));
  for (let i = 0; i < 100_000; i++) {
    instances[i % 4]!.add({ route: `/r${i % 10}`, durationMs: i % 300, bytesOut: 7 });
    if (i % 9_999 === 0) await instances[i % 4]!.flush();
  }
  await Promise.all(instances.map(({ flush }) => flush()));
  const sums = Object.entries(sumsIn(store));
  const sumOf = (pattern: RegExp) => sums.reduce((sum, [name, value]) => (pattern.test(name) ? sum + value : sum), 0);
  expect(sumOf(/^frontdesk_requests_total/)).toBe(100_000);
  expect(sumOf(/^frontdesk_response_bytes_total/)).toBe(700_000);
  expect(sumOf(/^http_server_request_duration_seconds.*#\d+$/)).toBe(100_000);
  expect(sumOf(/^http_client_request_duration_seconds.*#\d+$/)).toBe(100_000);
});

test("a store that is away gets the same batch again, and what came meanwhile after it", async () => {
  const store = new MemoryMetrics();
  const ids: string[] = [];
  let isAway = true;
  const add = (batch: MetricBatch) => {
    ids.push(batch.id);
    return isAway ? unavailable("timeout") : store.add(batch, NOW_MS);
  };
  const one = instance({ add, read: () => ok([]) });
  one.add({});
  await one.flush();
  one.add({});
  await one.flush();
  isAway = false;
  await one.flush();
  expect([new Set(ids.slice(0, 3)).size, new Set(ids).size]).toEqual([1, 2]);
  expect(Object.entries(sumsIn(store)).find(([name]) => name.startsWith("frontdesk_requests_total"))![1]).toBe(2);
});

test("a million requests to 100,000 paths from as many callers take a bounded number of names", async () => {
  const sizes: number[] = [];
  const add = ({ tables }: MetricBatch) => {
    for (const { sums } of tables) sizes.push(sums.size);
    return ok(undefined);
  };
  const one = instance({ add, read: () => ok([]) });
  const records = Array.from({ length: 100_000 }, (_, i) =>
    recordOf({
      route: undefined,
      path: `/p${i}`,
      status: 429,
      code: "rate-limited",
      source: "gateway",
      attempts: [],
      clientIp: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
    }),
  );
  for (let i = 0; i < 1_000_000; i++) one.add(records[i % records.length]!);
  await one.flush();
  expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_METRIC_NAMES);
  expect(sizes[0]).toBeLessThan(10);
});

describe("the text", () => {
  const sums = new Map([
    ['frontdesk_refusals_total{http_route="/a\\"b",code="x"}', 3],
    ['http_server_request_duration_seconds{http_route="/a",status_class="2xx"}#0', 2],
    ['http_server_request_duration_seconds{http_route="/a",status_class="2xx"}#35', 1],
    ['http_server_request_duration_seconds{http_route="/a",status_class="2xx"}#sum', 66_000_500],
    ["a_metric_of_another_version{}", 9],
  ]);

  test("Prometheus's", () => {
    const text = exposition(sums, "prometheus");
    expect(text).toContain('# TYPE frontdesk_refusals_total counter\nfrontdesk_refusals_total{http_route="/a\\"b",code="x"} 3\n');
    expect(text).toContain('http_server_request_duration_seconds_bucket{http_route="/a",status_class="2xx",le="0.0005"} 2\n');
    expect(text).toContain('http_server_request_duration_seconds_bucket{http_route="/a",status_class="2xx",le="65.536"} 2\n');
    expect(text).toContain('http_server_request_duration_seconds_bucket{http_route="/a",status_class="2xx",le="+Inf"} 3\n');
    expect(text).toContain('http_server_request_duration_seconds_sum{http_route="/a",status_class="2xx"} 66.0005\n');
    expect(text).toContain('http_server_request_duration_seconds_count{http_route="/a",status_class="2xx"} 3\n');
    expect(text).not.toContain("another_version");
    expect(text).not.toContain("# EOF");
  });

  test("OpenMetrics's: families without a suffix, and an end", () => {
    const text = exposition(sums, "openmetrics");
    expect(text).toContain("# TYPE frontdesk_refusals counter\nfrontdesk_refusals_total{");
    expect(text.endsWith("\n# EOF\n")).toBe(true);
  });
});
