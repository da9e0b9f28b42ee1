/** What stands in for a backend that has failed: when it does, when it does not, and what is written down. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTrafficHost, type TrafficHost } from "../../backends/traffic-host.ts";
import { type Backend, startBackend } from "../../support/backend.ts";

let shop: Backend;
let spare: Backend;
let host: TrafficHost;
beforeAll(async () => {
  [shop, spare] = await Promise.all([startBackend(), startBackend()]);
  const gone = await startBackend();
  gone.close();
  host = await startTrafficHost({
    backends: {
      shop: { url: shop.url, timeout: "200ms" },
      gone: gone.url,
      two: { targets: [{ url: gone.url }, { url: spare.url, priority: 1 }] },
      own: { url: gone.url, fallback: { body: "the backend's own" } },
      bare: { url: gone.url, fallback: false },
      breaking: { targets: [shop.url, `${shop.url}/b`], retry: { attempts: 2, on: [503] } },
    },
    defaults: {
      auth: "none",
      fallback: { body: "${request.headers.x-name}, we are back soon", headers: { "retry-after": "60" } },
    },
    routes: [
      { path: "/gone", backend: "gone", cors: "https://a.example" },
      { path: "/two", backend: "two" },
      { path: "/own", backend: "own" },
      { path: "/own/nearer", backend: "own", fallback: { body: "the route's own" } },
      { path: "/own/off", backend: "own", fallback: false },
      { path: "/bare", backend: "bare" },
      { path: "/bare/nearer", backend: "bare", fallback: { body: "the route's own" } },
      { path: "/again", backend: "breaking" },
      { path: "/shadow", backend: "gone", mode: "shadow" },
      { path: "/cached", backend: "shop", cache: { ttl: "1s", staleIfError: "1m" } },
      { path: "/off", backend: "shop", fallback: false },
      { path: "/limited", backend: "shop", limit: { requests: 1, per: "1d" } },
      { path: "/pay", backend: "shop", idempotency: { anonymous: true } },
      { path: "/*", backend: "shop" },
    ],
  });
});
beforeEach(() => {
  shop.requests.length = 0;
});
afterAll(() => {
  host.close();
  shop.close();
  spare.close();
});

const name = ["x-name", "Ada"];
const FALLBACK = "Ada, we are back soon";

describe("it answers", () => {
  test("where the backend can't be reached, with the fields of the route's answers", async () => {
    const { status, text, headers, record } = await host.send({
      target: "/gone",
      headers: [...name, "origin", "https://a.example"],
    });
    expect([status, text, headers.get("retry-after"), headers.get("content-type")]).toEqual([
      503,
      FALLBACK,
      "60",
      "text/plain; charset=utf-8",
    ]);
    expect([headers.get("access-control-allow-origin"), headers.has("x-gateway-error")]).toEqual(["https://a.example", false]);
    expect(record).toMatchObject({ status: 503, source: "gateway", code: "backend-unreachable", attempts: [{ wasSent: false }] });
    expect(record.steps.at(-1)).toMatchObject({ policy: "fallback", verdict: "answered", code: "backend-unreachable" });
  });

  test.each([502, 503, 504])("in place of a %i of the backend", async (code) => {
    shop.on("/x", (_, response) => response.writeHead(code).end("an error page"));
    const { status, text, record } = await host.send({ target: "/x", headers: name });
    expect([status, text, record.reason, record.attempts[0]?.status]).toEqual([503, FALLBACK, `it answered ${code}`, code]);
  });

  test("where the backend does not answer in time, or breaks off before it does", async () => {
    shop.on("/x", () => {});
    expect((await host.send({ target: "/x", headers: name })).record.code).toBe("backend-timeout");
    shop.on("/x", (_, response) => response.destroy());
    expect((await host.send({ target: "/x", headers: name })).text).toBe(FALLBACK);
  });

  test("after every try: another target comes before it", async () => {
    expect((await host.send("/two")).text).toBe('{"served":true}');
    for (const path of ["/again", "/b/again"]) shop.on(path, (_, response) => response.writeHead(503).end());
    const { text, record } = await host.send({ target: "/again", headers: name });
    expect([text, record.attempts.map(({ status }) => status)]).toEqual([FALLBACK, [503, 503]]);
  });

  test("after what is stored and may be used stale", async () => {
    shop.on("/cached", (_, response) => response.writeHead(200, { "content-length": "6" }).end("stored"));
    await host.send("/cached");
    shop.on("/cached", (_, response) => response.writeHead(503).end());
    host.nowMs += 2_000;
    expect((await host.send("/cached")).text).toBe("stored");
    host.nowMs += 120_000;
    expect((await host.send({ target: "/cached", headers: name })).text).toBe(FALLBACK);
    shop.on("/cached", (_, response) => response.writeHead(200, { "content-length": "5" }).end("fresh"));
    expect((await host.send("/cached")).text).toBe("fresh");
  });

  test("HEAD has its length and no body", async () => {
    const { status, headers, text } = await host.send({ method: "HEAD", target: "/gone", headers: name });
    expect([status, headers.get("content-length"), text]).toEqual([503, String(FALLBACK.length), ""]);
  });

  test("in shadow mode too: it refuses nothing", async () => {
    expect((await host.send({ target: "/shadow", headers: name })).text).toBe(FALLBACK);
  });
});

describe("it does not answer", () => {
  test.each([200, 404, 500])("where the backend says %i", async (code) => {
    shop.on("/x", (_, response) => response.writeHead(code).end("its own"));
    expect(await host.send("/x")).toMatchObject({ status: code, text: "its own" });
  });

  test("once an answer has begun", async () => {
    shop.on("/x", (_, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("half", () => response.destroy());
    });
    expect((await host.send("/x")).isWhole).toBe(false);
  });

  test("for what the gateway refuses", async () => {
    await host.send("/limited");
    expect((await host.send("/limited")).status).toBe(429);
    expect((await host.send({ method: "POST", target: "/x", headers: ["content-length", "9000000"] })).status).toBe(413);
  });

  test("where it is switched off", async () => {
    shop.on("/off", (_, response) => response.writeHead(503).end("its own"));
    expect((await host.send("/off")).text).toBe("its own");
  });
});

test.each([
  ["/own", 503, "the backend's own"],
  ["/own/nearer", 503, "the route's own"],
  ["/own/off", 502, undefined],
  ["/bare", 502, undefined],
  ["/bare/nearer", 503, "the route's own"],
])("the nearest one holds: the route's, then the backend's, then that of `defaults`: %s", async (target, status, text) => {
  const answer = await host.send(target);
  expect([answer.status, answer.headers.get("x-gateway-error")]).toEqual([
    status,
    text === undefined ? "backend-unreachable" : undefined,
  ]);
  if (text) expect(answer.text).toBe(text);
});

test("a fallback is kept for no idempotency key: the backend said that it has failed, and is asked again", async () => {
  const pay = { method: "POST", target: "/pay", headers: [...name, "idempotency-key", "0123456789abcdef"], body: "10" };
  shop.on("/pay", (_, response) => response.writeHead(503).end());
  expect((await host.send(pay)).text).toBe(FALLBACK);
  shop.on("/pay", (_, response) => response.writeHead(201).end("paid"));
  expect((await host.send(pay)).text).toBe("paid");
});
