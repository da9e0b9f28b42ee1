import { describe, expect, test } from "vitest";
import type { Deps } from "#lib/contract/deps.ts";
import type { RouteParts } from "#lib/contract/policy.ts";
import { HeaderList } from "#lib/http/header-list.ts";
import { cors } from "#lib/policies/cors/cors.ts";
import type { CorsOptions } from "#lib/policies/cors/options.ts";
import { exchangeFor } from "../../support/exchange.ts";
import { gatewayOf, type Received } from "../gateway.ts";

const APP = "https://app.example";
const preflight = (method: string, headers: Record<string, string> = {}, origin = APP) =>
  ({ method: "OPTIONS", headers: { origin, "access-control-request-method": method, ...headers } }) as const;
const field = ({ headers }: Received, name: string) => headers.get(`access-control-${name}`);

describe("preflights", () => {
  test("everything that was asked for, by default", async () => {
    const { send } = gatewayOf({ routes: [{ path: "/", cors: APP }] });
    const answer = await send(preflight("PUT", { "access-control-request-headers": "x-token, Content-Type" }));
    expect(answer).toMatchObject({ status: 204, text: "" });
    expect(field(answer, "allow-origin")).toBe(APP);
    expect(field(answer, "allow-methods")).toBe("PUT");
    expect(field(answer, "allow-headers")).toBe("x-token, Content-Type");
    expect(field(answer, "max-age")).toBe("600");
    expect(answer.headers.get("vary")).toBe("Origin");
    expect(answer.headers.has("access-control-allow-credentials")).toBe(false);
    expect(answer.headers.has("access-control-expose-headers")).toBe(false);
    expect(answer.steps).toEqual(["cors: answered"]);
  });

  test("what the config lists, and nothing else", async () => {
    const { send } = gatewayOf({
      routes: [
        { path: "/", cors: { origins: APP, methods: ["GET", "PUT"], headers: "X-Token", maxAge: "1h", credentials: true } },
      ],
    });
    const answer = await send(preflight("PATCH", { "access-control-request-headers": "x-evil" }));
    expect(field(answer, "allow-methods")).toBe("GET, PUT");
    expect(field(answer, "allow-headers")).toBe("x-token");
    expect(field(answer, "max-age")).toBe("3600");
    expect(field(answer, "allow-credentials")).toBe("true");
  });

  test("methods are those of every route of the path", async () => {
    const { send } = gatewayOf({
      defaults: { cors: APP },
      routes: [
        { path: "/a/:id", methods: ["GET", "PUT"] },
        { path: "/a/:name", methods: "DELETE" },
        { path: "/b", methods: "GET" },
        { path: "/b", when: { query: { x: true } } },
      ],
    });
    for (const asked of ["GET", "DELETE", "PATCH"])
      expect(field(await send({ ...preflight(asked), target: "/a/1" }), "allow-methods")).toBe("DELETE, GET, PUT");
    expect(field(await send({ ...preflight("PATCH"), target: "/b?x" }), "allow-methods")).toBe("PATCH");
  });

  test("another origin gets an answer without a word on CORS", async () => {
    const { send } = gatewayOf({ routes: [{ path: "/", cors: APP }] });
    const answer = await send(preflight("PUT", {}, "https://evil.example"));
    expect(answer.status).toBe(204);
    expect([...answer.headers].filter(([name]) => name.startsWith("access-control-"))).toEqual([]);
    expect(answer.headers.get("vary")).toBe("Origin");
  });

  test("it needs no credentials of the route, and passes no screen", async () => {
    const { send } = gatewayOf({ routes: [{ path: "/", cors: APP, ip: { allow: "192.0.2.1" }, maintenance: true }] });
    expect((await send({ ...preflight("PUT"), ip: "203.0.113.1" })).status).toBe(204);
  });

  test("what was asked for goes back as names only", async () => {
    const { send } = gatewayOf({ routes: [{ path: "/", cors: APP }] });
    const answer = await send(preflight("P<T", { "access-control-request-headers": "x-a, x b, <script>, , x-c" }));
    expect(answer.headers.has("access-control-allow-methods")).toBe(false);
    expect(field(answer, "allow-headers")).toBe("x-a, x-c");
  });

  test("OPTIONS without the question is an ordinary request", async () => {
    const { send } = gatewayOf({ routes: [{ path: "/", cors: APP }] });
    expect(await send({ method: "OPTIONS", headers: { origin: APP } })).toMatchObject({ status: 200, text: "served" });
  });

  test("a route in shadow mode answers them too", async () => {
    const { send } = gatewayOf({ routes: [{ path: "/", cors: APP, mode: "shadow" }] });
    expect((await send(preflight("PUT"))).status).toBe(204);
  });
});

describe("answers", () => {
  test("errors carry the fields, with a route and without one", async () => {
    const { send } = gatewayOf({
      cors: { origins: APP, credentials: true },
      routes: [
        { path: "/a", maintenance: true },
        { path: "/b", methods: "GET" },
      ],
    });
    for (const [target, method, status] of [
      ["/a", "GET", 503],
      ["/b", "POST", 405],
      ["/nowhere", "GET", 404],
      ["/a/../b", "GET", 400],
    ] as const) {
      const answer = await send({ target, method, headers: { origin: APP } });
      expect(answer.status).toBe(status);
      expect(field(answer, "allow-origin")).toBe(APP);
      expect(field(answer, "allow-credentials")).toBe("true");
      expect(field(answer, "expose-headers")).toBe("x-request-id, RateLimit, RateLimit-Policy, Retry-After, x-gateway-error");
    }
    expect((await send({ ...preflight("PUT"), target: "/nowhere" })).status).toBe(204);
  });

  test("`false` switches a default off", async () => {
    const { send } = gatewayOf({ cors: APP, routes: [{ path: "/", cors: false }] });
    const answer = await send({ headers: { origin: APP } });
    expect(answer.headers.has("access-control-allow-origin")).toBe(false);
    expect(answer.headers.has("vary")).toBe(false);
  });

  test("anybody: the same answer for all, so that nothing varies", async () => {
    const { send } = gatewayOf({ routes: [{ path: "/", cors: "*" }] });
    for (const headers of [{}, { origin: "https://anybody.example" }]) {
      const answer = await send({ headers });
      expect(field(answer, "allow-origin")).toBe("*");
      expect(answer.headers.has("vary")).toBe(false);
    }
  });

  test("origins in a variable", async () => {
    const { send } = gatewayOf(
      { routes: [{ path: "/", cors: "${env.ORIGINS}" }] },
      { variables: { ORIGINS: `https://a.example, ${APP}` } },
    );
    expect(field(await send({ headers: { origin: APP } }), "allow-origin")).toBe(APP);
  });
});

describe("what a backend says", () => {
  const options: CorsOptions = {
    origins: [[APP]],
    credentials: true,
    expose: ["x-total"],
    maxAgeSeconds: 600,
  };
  const shaped = (origin: string | undefined, pairs: string[]) => {
    const exchange = exchangeFor({ target: "/", headers: origin === undefined ? [] : ["Origin", origin] });
    const head = { status: 200, headers: new HeaderList(pairs) };
    cors.create(options, {} as Deps, exchange.route, {} as RouteParts).onSend!(exchange, head);
    return head.headers;
  };

  test("its own fields are replaced, all of them", () => {
    const headers = shaped(APP, [
      "Access-Control-Allow-Origin",
      "*",
      "x-total",
      "9",
      "ACCESS-CONTROL-ALLOW-PRIVATE-NETWORK",
      "true",
    ]);
    expect(headers.all("access-control-allow-origin")).toEqual([APP]);
    expect(headers.has("access-control-allow-private-network")).toBe(false);
    expect(headers.get("access-control-expose-headers")).toMatch(/, x-total$/);
    expect(headers.get("x-total")).toBe("9");
  });

  test("also for an origin that may not read the answer", () => {
    expect([...shaped("https://evil.example", ["Access-Control-Allow-Origin", "*"])]).toEqual([["vary", "Origin"]]);
  });

  test.each([
    [[], ["Origin"]],
    [
      ["Vary", "Accept"],
      ["Accept", "Origin"],
    ],
    [["Vary", "Accept, ORIGIN"], ["Accept, ORIGIN"]],
    [
      ["Vary", "Accept", "vary", "origin"],
      ["Accept", "origin"],
    ],
    [["Vary", "*"], ["*"]],
    [
      ["Vary", "X-Origin"],
      ["X-Origin", "Origin"],
    ],
  ])("its Vary is kept: %j", (pairs, vary) => {
    expect(shaped(APP, [...pairs]).all("vary")).toEqual(vary);
    expect(shaped(undefined, [...pairs]).all("vary")).toEqual(vary);
  });
});
