/** Records: each is of one request, has what came before its end, and never changes once it has left. */
import { expect, test } from "vitest";
import { trafficForAll } from "../backends/traffic-host.ts";
import { until } from "../support/until.ts";

const { one, host } = await trafficForAll(({ one }) => ({
  backends: { one: { url: one, retry: {} } },
  routes: [
    { path: "/c/*", backend: "one", cache: { ttl: "1s", staleWhileRevalidate: "1h" } },
    { path: "/must/*", backend: "one", cache: { ttl: "1s" } },
    { path: "/plain/*", backend: "one", timeout: { idle: "200ms" } },
  ],
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

test("a 304 that renews a stored answer is in the record of the caller who gets it", async () => {
  one.on("/must/a", ({ headers }, response) => {
    const isKnown = headers.get("if-none-match") === '"1"';
    response.writeHead(isKnown ? 304 : 200, { etag: '"1"', date: new Date(host.nowMs).toUTCString() }).end(isKnown ? "" : "kept");
  });
  await host.send("/must/a");
  host.nowMs += 5_000;
  const { record, text } = await host.send("/must/a");
  expect([text, record.source, record.attempts.map(({ status }) => status)]).toEqual(["kept", "cache", [304]]);
});

test("an attempt that goes on for others leaves the record of a caller who has gone as it was", async () => {
  let finish = () => {};
  one.on("/must/long", (_, response) => {
    response.writeHead(200, { date: new Date(host.nowMs).toUTCString() }).write("begun");
    finish = () => void response.end("whole");
  });
  const before = host.records.length;
  const gone = new AbortController();
  const url = `http://127.0.0.1:${host.port}/must/long`;
  const first = await fetch(url, { signal: gone.signal });
  const second = await fetch(url);
  gone.abort();
  await expect(first.text()).rejects.toThrow();
  const record = await until(() => host.records[before], "the first caller's record");
  const then = structuredClone(record);
  expect(record.aborted).toBe(true);
  expect(record.attempts.map(({ status, error }) => [status, error])).toEqual([[200, undefined]]);
  expect(record.attempts[0]!.ms).toBe(record.attempts[0]!.headMs);
  finish();
  expect(await second.text()).toBe("begunwhole");
  await until(() => host.records[before + 1], "the second caller's record");
  expect(record).toEqual(then);
});

test("an answer that breaks off after its head says so, and when", async () => {
  one.on("/plain/a", (_, response) => void response.writeHead(200).write("begun"));
  const { record } = await host.send("/plain/a");
  const [{ status, error, headMs, ms }] = record.attempts as [(typeof record.attempts)[0]];
  expect([status, error, record.aborted]).toEqual([200, "idle time-out", true]);
  expect(ms - headMs!).toBeGreaterThan(150);
});

test("a record, its steps and its attempts are frozen", async () => {
  const { record } = await host.send("/plain/b");
  const parts = [record, record.steps, record.attempts, ...record.steps, ...record.attempts];
  expect(record.attempts.length).toBe(1);
  expect(parts.filter((part) => !Object.isFrozen(part))).toEqual([]);
});
