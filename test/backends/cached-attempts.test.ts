/** What a cache fetches is asked for as any request is: with retries, a breaker, a bulkhead, and its attempts in the record. */
import { expect, test } from "vitest";
import type { Handler } from "../support/backend.ts";
import { until } from "../support/until.ts";
import { counts, gateway, host, one, two } from "./two-targets.ts";

const cached = (backend: object, cache: object | string = "1m") => gateway(backend, { cache });
const dated = (text: string) => `${text} at ${host!.nowMs}`;
const serves: Handler = (_, response) =>
  response.writeHead(200, { date: new Date(host!.nowMs).toUTCString() }).end(dated("served"));
const fails: Handler = (_, response) => response.writeHead(503).end("down");
const saidBy = ({ headers }: { headers: { get(name: string): string | undefined } }) => headers.get("cache-status");
const state = () => host!.gateway.backends[0]!;

test.each<[string, Handler, number | undefined]>([
  ["a 503", fails, 503],
  ["a connection that breaks", (_, response) => response.socket!.destroy(), undefined],
  ["no answer in time", () => {}, undefined],
])("%s is tried again on another target, and what that says is stored", async (_, handler, status) => {
  one.on("/x", handler);
  two.on("/x", serves);
  const { send } = await cached({ targets: [one.url, { url: two.url, priority: 1 }], timeout: "200ms" });
  const first = await send("/x");
  expect([first.status, first.text, saidBy(first)]).toEqual([200, dated("served"), "frontdesk; fwd=uri-miss; stored"]);
  expect(first.record.attempts.map((attempt) => [attempt.target, attempt.status])).toEqual([
    [one.url, status],
    [two.url, 200],
  ]);
  const again = await send("/x");
  expect([again.text, again.record.source, again.record.attempts]).toEqual([first.text, "cache", []]);
  expect(counts()).toEqual([1, 1]);
});

test("many who wait for one answer: its attempts are two, and all get the second", async () => {
  one.on("/x", fails);
  two.on("/x", serves);
  const { send } = await cached({ targets: [one.url, { url: two.url, priority: 1 }] });
  const all = await Promise.all(Array.from({ length: 50 }, () => send("/x")));
  expect(new Set(all.map(({ text }) => text))).toEqual(new Set([dated("served")]));
  expect(counts()).toEqual([1, 1]);
  expect(state().targets.map((target) => target.state.inFlight)).toEqual([0, 0]);
});

test("where every attempt fails, what is stored serves, and each attempt counts for the breaker", async () => {
  one.on("/x", serves);
  const { send } = await cached(
    { url: one.url, retry: {}, breaker: { requests: 4, open: "5s" } },
    { ttl: "1m", staleIfError: "1h" },
  );
  const stored = await send("/x");
  one.on("/x", fails);
  host!.nowMs += 61_000;
  for (let i = 0; i < 2; i++) {
    const stale = await send("/x");
    expect([stale.status, stale.text]).toEqual([200, stored.text]);
    expect(stale.record.attempts.map(({ status }) => status)).toEqual([503, 503]);
  }
  // Now the breaker answers, and nothing reaches the backend any more.
  const kept = await send("/x");
  expect([kept.text, kept.record.attempts, one.requests.length]).toEqual([stored.text, [], 5]);
  const none = await send("/y");
  expect([none.status, none.headers.get("x-gateway-error")]).toEqual([503, "no-backend-available"]);
});

test("what is fetched behind a caller's back takes a place of the bulkhead, and gives it back", async () => {
  one.on("/x", serves);
  const { send } = await cached({ url: one.url, bulkhead: { requests: 1, queue: 0 } }, { ttl: "1m", staleWhileRevalidate: "1h" });
  await send("/x");
  let release: () => void = () => {};
  one.on("/x", (request, response) => {
    release = () => serves(request, response, undefined as never);
  });
  host!.nowMs += 61_000;
  const stale = await send("/x");
  expect(saidBy(stale)).toContain("stale-while-revalidate");
  await until(() => one.requests.length === 2, "the request for a new one");
  expect(state().bulkhead!.inside).toBe(1);
  expect((await send("/y")).headers.get("x-gateway-error")).toBe("overloaded");
  release();
  await until(() => state().bulkhead!.inside === 0, "the place to be given back");
  expect((await send("/x")).text).toBe(dated("served"));
  expect((await send("/y")).status).toBe(200);
});

test("a place is given back whatever becomes of a fetch: a failure, a full queue, callers who leave", async () => {
  const { send } = await cached({
    targets: [one.url, two.url],
    timeout: "200ms",
    bulkhead: { requests: 2, queue: 1, wait: "20s" },
  });
  for (const [index, target] of [one, two].entries()) {
    let turn = index;
    target.on("/", (...args) => [fails, () => {}, serves][turn++ % 3]!(...args));
  }
  const all = await Promise.all(Array.from({ length: 60 }, (_, i) => send(`/?${i}`)));
  expect(new Set(all.map(({ status }) => status))).toContain(503);
  expect(state().bulkhead!.inside).toBe(0);
  expect(state().bulkhead!.waiting).toBe(0);
  expect(state().targets.map((target) => target.state.inFlight)).toEqual([0, 0]);
});
