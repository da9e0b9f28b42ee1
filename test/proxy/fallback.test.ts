/** Another backend in place of one that has failed: which requests go there, and what it gets to see. */
import { describe, expect, test } from "vitest";
import { trafficForAll } from "../backends/traffic-host.ts";

const {
  one: shop,
  two: spare,
  host,
} = await trafficForAll(({ one, two, gone }) => ({
  backends: {
    shop: { url: one, timeout: "300ms", headers: { "x-secret": "of the shop" } },
    gone,
    narrow: { url: gone, bulkhead: { requests: 1, queue: 0 } },
    left: { url: gone, fallback: { backend: "right" } },
    right: { url: gone, fallback: { backend: "left" } },
    spare: { url: `${two}/old`, headers: { "x-own": "of the spare" } },
  },
  defaults: { auth: "none", fallback: { backend: "spare" } },
  routes: [
    { path: "/gone/*", backend: "gone" },
    { path: "/left", backend: "left" },
    { path: "/right", backend: "right" },
    { path: "/right/own", backend: "right", fallback: { backend: "spare" } },
    { path: "/narrow", backend: "narrow" },
    { path: "/both", backend: "shop", fallback: { backend: "gone" } },
    { path: "/cached", backend: "shop", cache: { ttl: "1s", staleIfError: "1m" } },
    { path: "/pay", backend: "shop", idempotency: { anonymous: true } },
    { path: "/*", backend: "shop" },
  ],
}));

const failing = (path: string, status = 503) => shop.on(path, (_, response) => response.writeHead(status).end("failed"));

describe("where nothing was sent", () => {
  test.each(["GET", "POST", "PUT"])("a %s goes to the other backend, its body whole", async (method) => {
    const body = method === "GET" ? {} : { body: "x".repeat(200_000) };
    const { status, record } = await host.send({ method, target: "/gone/a?b=c", ...body });
    const [received] = spare.requests;
    expect([status, received!.target, received!.body.length]).toEqual([200, "/old/gone/a?b=c", body.body?.length ?? 0]);
    expect(record.attempts.map(({ wasSent }) => wasSent)).toEqual([false, true]);
    expect(record).toMatchObject({ status: 200, source: "backend", code: undefined });
    expect(record.steps.at(-1)).toMatchObject({ policy: "fallback", code: "backend-unreachable", reason: "goes to spare" });
  });

  test("the place in the first one's bulkhead is free again", async () => {
    for (let i = 0; i < 3; i++) expect((await host.send("/narrow")).status).toBe(200);
  });
});

describe("what was sent", () => {
  test.each([
    ["says 503", () => failing("/x")],
    ["breaks off", () => shop.on("/x", (_, response) => response.destroy())],
    ["does not answer", () => shop.on("/x", () => {})],
  ])("a GET goes on when the backend %s, with the other's fields alone", async (_, fail) => {
    fail();
    const { status, text } = await host.send("/x");
    expect([status, text]).toEqual([200, '{"served":true}']);
    const { headers, target } = spare.requests[0]!;
    expect([target, headers.get("x-own"), headers.has("x-secret")]).toEqual(["/old/x", "of the spare", false]);
  });

  test("a POST does not: it may have been carried out, and the caller hears what the backend said", async () => {
    failing("/x");
    expect(await host.send({ method: "POST", target: "/x", body: "order" })).toMatchObject({ status: 503, text: "failed" });
    shop.on("/x", (_, response) => response.destroy());
    expect((await host.send({ method: "POST", target: "/x", body: "order" })).record.code).toBe("backend-unreachable");
    expect(spare.requests).toEqual([]);
  });

  test("nor does a PUT whose body is gone", async () => {
    failing("/x");
    const { status } = await host.send({ method: "PUT", target: "/x", body: "x".repeat(100_000) });
    expect([status, spare.requests.length]).toEqual([503, 0]);
  });

  test("answers of other kinds are the backend's", async () => {
    failing("/x", 500);
    expect((await host.send("/x")).status).toBe(500);
    expect(spare.requests).toEqual([]);
  });
});

test("one that fails too is told as such, and is the last", async () => {
  failing("/both");
  const { status, record } = await host.send("/both");
  expect([status, record.code, record.attempts.length]).toEqual([502, "backend-unreachable", 2]);
});

describe("two backends that stand in for each other", () => {
  test.each([
    ["/left", "goes to right"],
    ["/right", "goes to left"],
  ])("%s: each is asked once", async (target, reason) => {
    const { status, record } = await host.send(target);
    expect([status, record.attempts.length, record.steps.at(-1)!.reason]).toEqual([502, 2, reason]);
  });

  test("a route's own comes before its backend's", async () => {
    expect((await host.send("/right/own")).record.steps.at(-1)!.reason).toBe("goes to spare");
  });
});

test("a stale answer comes before it, and what it answers is not stored", async () => {
  shop.on("/cached", (_, response) => response.writeHead(200, { "content-length": "6" }).end("stored"));
  await host.send("/cached");
  failing("/cached");
  host.nowMs += 2_000;
  expect((await host.send("/cached")).text).toBe("stored");
  host.nowMs += 120_000;
  expect((await host.send("/cached")).text).toBe('{"served":true}');
  shop.on("/cached", (_, response) => response.writeHead(200, { "content-length": "5" }).end("fresh"));
  expect((await host.send("/cached")).text).toBe("fresh");
});

test("its answer is kept for an idempotency key, where it was asked at all", async () => {
  const pay = { method: "POST", target: "/pay", headers: ["idempotency-key", "0123456789abcdef"], body: "10" };
  failing("/pay");
  expect((await host.send(pay)).status).toBe(503);
  shop.on("/pay", (_, response) => response.writeHead(201).end("paid"));
  expect((await host.send(pay)).text).toBe("paid");
  expect((await host.send(pay)).headers.get("idempotency-replayed")).toBe("true");
  expect(spare.requests).toEqual([]);
});
