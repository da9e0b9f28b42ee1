/** Records: each is of one request, whatever else goes on because of it. */
import { expect, test } from "vitest";
import { trafficForAll } from "../backends/traffic-host.ts";
import { until } from "../support/until.ts";

const { one, host } = await trafficForAll(({ one }) => ({
  backends: { one: { url: one, retry: {} } },
  routes: [{ path: "/c/*", backend: "one", cache: { ttl: "1s", staleWhileRevalidate: "1h" } }],
}));

test("a refresh in the background writes nothing into the record of the caller that set it off", async () => {
  await host.send("/c/a");
  host.nowMs += 5_000;
  const { record } = await host.send("/c/a");
  const before = structuredClone(record);
  expect(record).toMatchObject({ source: "cache", attempts: [] });
  await until(() => one.requests.length === 2, "the refresh");
  host.nowMs += 1;
  // The refreshed answer is there: the refresh is over.
  await until(
    async () => (await host.send("/c/a")).record.source === "cache" && one.requests.length === 2,
    "the refreshed answer",
  );
  expect(record).toEqual(before);
});
