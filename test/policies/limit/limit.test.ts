import { beforeEach, describe, expect, test } from "vitest";
import { gatewayOf, type Sent, type TestGateway, type TestGatewayOptions } from "../gateway.ts";
import { identify } from "./identify.ts";

let nowMs: number;
beforeEach(() => {
  nowMs = 60_000_000;
});

function routeOf(settings: object, options: TestGatewayOptions = {}): TestGateway {
  return gatewayOf({ routes: [{ path: "/", ...settings }] }, { now: () => nowMs, ...options });
}

/** The statuses of so many requests. */
async function statuses({ send }: TestGateway, count: number, sent: Sent = {}): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i++) all.push((await send(sent)).status);
  return all;
}

describe("a rate", () => {
  test.each(["2/m", "2/min", "2/1m", "2 / 60s"])("%s", async (limit) => {
    const gateway = routeOf({ limit });
    expect(await statuses(gateway, 3)).toEqual([200, 200, 429]);
    nowMs += 120_000;
    expect(await statuses(gateway, 1)).toEqual([200]);
  });

  test("from a variable", async () => {
    const gateway = routeOf({ limit: "${env.LIMIT:-1/s}" }, { variables: { LIMIT: "2/h" } });
    expect(await statuses(gateway, 3)).toEqual([200, 200, 429]);
  });

  test("of `defaults` counts for each route, and `false` switches it off", async () => {
    const { send } = gatewayOf(
      { defaults: { limit: "1/m" }, routes: [{ path: "/a" }, { path: "/b" }, { path: "/c", limit: false }] },
      { now: () => nowMs },
    );
    const of = async (target: string) => (await send({ target })).status;
    expect([await of("/a"), await of("/b"), await of("/a"), await of("/c"), await of("/c")]).toEqual([200, 200, 429, 200, 200]);
  });

  test("of a method counts apart; methods without their own share the route's", async () => {
    const gateway = routeOf({ limit: "2/m", byMethod: { POST: { limit: "1/m" }, PUT: { maxBody: "1mb" } } });
    expect(await statuses(gateway, 2, { method: "POST" })).toEqual([200, 429]);
    expect(await statuses(gateway, 1, { method: "PUT" })).toEqual([200]);
    expect(await statuses(gateway, 2, { method: "GET" })).toEqual([200, 429]);
  });
});

describe("algorithms", () => {
  test("a bucket holds its burst and refills whole", async () => {
    const gateway = routeOf({ limit: { requests: 1, per: "10s", algorithm: "token-bucket", burst: 3 } });
    expect(await statuses(gateway, 4)).toEqual([200, 200, 200, 429]);
    nowMs += 10_000;
    expect(await statuses(gateway, 2)).toEqual([200, 429]);
  });

  test("places at once are given back when a request ends", async () => {
    const gateway = routeOf({ limit: { requests: 1, algorithm: "concurrency" } });
    expect(await statuses(gateway, 3)).toEqual([200, 200, 200]);
  });

  test("a quota counts by the calendar's month", async () => {
    nowMs = Date.UTC(2027, 0, 31, 23, 59, 50);
    const gateway = routeOf({ quota: "1/month" });
    expect(await statuses(gateway, 2)).toEqual([200, 429]);
    const { headers, text } = await gateway.send();
    expect(headers.get("retry-after")).toBe("10");
    expect(JSON.parse(text)).toMatchObject({ code: "quota-exhausted", status: 429, "violated-policies": ["quota-month"] });
    expect(headers.get("ratelimit-policy")).toBe('"quota-month";q=1;w=2678400');
    nowMs += 10_000;
    const next = await gateway.send();
    expect(next.status).toBe(200);
    expect(next.headers.get("ratelimit-policy")).toBe('"quota-month";q=1;w=2419200');
  });
});

describe("who shares a count", () => {
  const by = (subject: string | string[], requests = 1) => ({ limit: { requests, per: "1m", by: subject }, use: identify });

  test("addresses, IPv6 by /64", async () => {
    const gateway = routeOf(by("ip"));
    const of = async (ip: string | undefined) => (await gateway.send({ ip })).status;
    expect([await of("192.0.2.1"), await of("192.0.2.1"), await of("192.0.2.2")]).toEqual([200, 429, 200]);
    expect([await of("2001:db8:0:1::1"), await of("2001:db8:0:1:ffff::2"), await of("2001:db8:0:2::1")]).toEqual([200, 429, 200]);
  });

  test("callers whose address is not known share one", async () => {
    const gateway = routeOf(by("ip"));
    expect(await statuses(gateway, 2)).toEqual([200, 429]);
    expect(await statuses(gateway, 1, { ip: "192.0.2.1" })).toEqual([200]);
  });

  test("a consumer, wherever it comes from; who is none counts by address", async () => {
    const gateway = routeOf(by("consumer"));
    const of = async (user: string | undefined, ip: string) =>
      (await gateway.send({ ip, ...(user === undefined ? {} : { headers: { "x-user": user } }) })).status;
    expect([await of("ada", "192.0.2.1"), await of("ada", "192.0.2.2"), await of("bob", "192.0.2.1")]).toEqual([200, 429, 200]);
    expect([await of(undefined, "192.0.2.1"), await of(undefined, "192.0.2.1")]).toEqual([200, 429]);
    // Called like an address, it is not that address.
    expect(await of("192.0.2.9", "192.0.2.1")).toBe(200);
    expect(await of(undefined, "192.0.2.9")).toBe(200);
  });

  test("a header field, a claim; absent or empty, the address counts", async () => {
    for (const [subject, name] of [
      ["header:X-Team", "x-team"],
      ["claim:team", "x-team"],
    ] as const) {
      const gateway = routeOf(by(subject));
      const of = async (value: string | undefined, ip: string) =>
        (await gateway.send({ ip, headers: { "x-user": "ada", ...(value === undefined ? {} : { [name]: value }) } })).status;
      expect([await of("a", "192.0.2.1"), await of("a", "192.0.2.2"), await of("b", "192.0.2.1")]).toEqual([200, 429, 200]);
      expect([await of(undefined, "192.0.2.3"), await of("", "192.0.2.3")]).toEqual([200, 429]);
    }
  });

  test("a parameter of the path, odd values too", async () => {
    const { send } = gatewayOf(
      { routes: [{ path: "/shops/:id/*", limit: { requests: 1, per: "1m", by: "param:id" } }] },
      { now: () => nowMs },
    );
    const of = async (target: string) => (await send({ target })).status;
    expect([await of("/shops/1/a"), await of("/shops/1/b"), await of("/shops/2/a")]).toEqual([200, 429, 200]);
    const odd = ["%22", "1%20b", "%c3%a9", `${"x".repeat(3000)}1`, `${"x".repeat(3000)}2`];
    for (const id of odd) expect([await of(`/shops/${id}/a`), await of(`/shops/${id}/a`)]).toEqual([200, 429]);
    // To servers that fold case, cut parameters or trim, these are the 1 of above: no spelling has a count of its own.
    for (const id of ["1;a", "1.", "1%20", "%2531", "1%3Fx"]) expect(await of(`/shops/${id}/a`), id).toBe(429);
  });

  test("several, taken together: parts do not run over into each other", async () => {
    const gateway = routeOf(by(["header:a", "header:b"]));
    const of = async (a: string, b: string) => (await gateway.send({ headers: { a, b } })).status;
    expect([await of("x", "yz"), await of("x", "yz"), await of("xy", "z"), await of("x", "y")]).toEqual([200, 429, 200, 200]);
  });

  test("everybody on a route; everybody on all routes that say the same", async () => {
    const limit = (subject: string) => ({ requests: 2, per: "1m", by: subject });
    const { send } = gatewayOf(
      {
        routes: [
          { path: "/a", limit: limit("route") },
          { path: "/b", limit: limit("global") },
          { path: "/c", limit: limit("global") },
        ],
      },
      { now: () => nowMs },
    );
    const of = async (target: string, ip: string) => (await send({ target, ip })).status;
    expect([await of("/a", "192.0.2.1"), await of("/a", "192.0.2.2"), await of("/a", "192.0.2.3")]).toEqual([200, 200, 429]);
    expect([await of("/b", "192.0.2.1"), await of("/c", "192.0.2.2"), await of("/b", "192.0.2.3")]).toEqual([200, 200, 429]);
  });

  test("limits of one name share one count", async () => {
    const limit = { requests: 2, per: "1m", name: "search" };
    const { send } = gatewayOf(
      {
        routes: [
          { path: "/a", limit },
          { path: "/b", limit: { ...limit, cost: 2 } },
          { path: "/c", limit: "2/m" },
        ],
      },
      { now: () => nowMs },
    );
    const of = async (target: string) => (await send({ target })).status;
    expect([await of("/a"), await of("/b"), await of("/a"), await of("/a"), await of("/c")]).toEqual([200, 429, 200, 429, 200]);
  });
});

describe("several limits", () => {
  test("a refusal by one takes nothing from the others, in one row or two", async () => {
    const gateway = routeOf({
      limit: ["3/m", { requests: 1, per: "10s", by: "consumer", algorithm: "fixed-window" }],
      use: identify,
    });
    const ada = { headers: { "x-user": "ada" } };
    expect(await statuses(gateway, 4, ada)).toEqual([200, 429, 429, 429]);
    const { headers } = await gateway.send(ada);
    expect(headers.get("ratelimit")).toBe('"requests-per-10s";r=0;t=10, "requests-per-1m";r=2;t=60');
    nowMs += 10_000;
    expect(await statuses(gateway, 1, ada)).toEqual([200]);
  });

  test("the one that refuses longest is told", async () => {
    const gateway = routeOf({ limit: ["1/10s", "1/h"], quota: "1/day" });
    await gateway.send();
    const { text, headers, record } = await gateway.send();
    expect(JSON.parse(text)).toMatchObject({
      code: "quota-exhausted",
      "violated-policies": ["requests-per-10s", "requests-per-1h", "quota-day"],
    });
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(3600);
    expect(record.reason).toBe('over "requests-per-10s", "requests-per-1h", "quota-day"');
  });

  test("limits that need no identity hold before credentials are looked at, and are all that a refusal there takes", async () => {
    const gateway = routeOf({
      limit: [
        { requests: 2, per: "1m", by: "ip" },
        { requests: 2, per: "1m", by: "consumer", name: "own" },
      ],
      use: identify,
    });
    const wrong = { ip: "192.0.2.1", headers: { "x-user": "ada", "x-password": "wrong" } };
    expect(await statuses(gateway, 3, wrong)).toEqual([401, 401, 429]);
    const right = await gateway.send({ ip: "192.0.2.2", headers: { "x-user": "ada" } });
    expect(right.headers.get("ratelimit")).toContain('"own";r=1');
  });
});

describe("costs", () => {
  test("a number", async () => {
    const gateway = routeOf({ limit: { units: 10, per: "1m", cost: 4 } });
    expect(await statuses(gateway, 3)).toEqual([200, 200, 429]);
  });

  test("the size that is stated", async () => {
    const gateway = routeOf({ limit: { units: 10, per: "1m", cost: { size: "1kb" } } });
    const left = async (bytes: number) => {
      const { headers } = await gateway.send({ method: "POST", headers: { "content-length": String(bytes) } });
      return /r=(\d+)/.exec(headers.get("ratelimit")!)![1];
    };
    expect([await left(0), await left(1), await left(1024), await left(1025), await left(4096)]).toEqual([
      "9",
      "8",
      "7",
      "5",
      "1",
    ]);
  });
});

describe("failed log-ins", () => {
  const limit = { requests: 2, per: "1m", count: "auth-failures" };

  test("count, and others do not", async () => {
    const gateway = routeOf({ limit, use: identify });
    const send = async (password: string, ip = "192.0.2.1") =>
      (await gateway.send({ ip, headers: { "x-user": "ada", "x-password": password } })).status;
    expect([await send("right"), await send("right"), await send("right")]).toEqual([200, 200, 200]);
    expect([await send("1"), await send("2"), await send("3"), await send("right")]).toEqual([401, 401, 429, 429]);
    expect(await send("right", "192.0.2.2")).toBe(200);
    nowMs += 120_000;
    expect(await send("right")).toBe(200);
  });
});

describe("answers", () => {
  test("say what is left and when there is more; Retry-After agrees", async () => {
    const gateway = routeOf({ limit: { requests: 2, per: "10s", algorithm: "fixed-window", name: "burst" } });
    nowMs += 3_500;
    const first = await gateway.send();
    expect(first.headers.get("ratelimit-policy")).toBe('"burst";q=2;w=10');
    expect(first.headers.get("ratelimit")).toBe('"burst";r=1;t=7');
    expect(first.headers.has("retry-after")).toBe(false);
    await gateway.send();
    const refused = await gateway.send();
    expect(refused.headers.get("ratelimit")).toBe('"burst";r=0;t=7');
    expect(refused.headers.get("retry-after")).toBe("7");
    expect(JSON.parse(refused.text)).toMatchObject({
      type: "/gateway/problems/rate-limited",
      status: 429,
      code: "rate-limited",
      detail: '"burst" allows 2 requests in 10 seconds. Try again in 7 seconds.',
      "violated-policies": ["burst"],
    });
    expect(refused.headers.get("cache-control")).toBe("no-store");
    nowMs += 7_000;
    expect((await gateway.send()).status).toBe(200);
  });

  test("places at once have no window", async () => {
    const { headers } = await routeOf({ limit: { requests: 3, algorithm: "concurrency" } }).send();
    expect(headers.get("ratelimit-policy")).toBe('"requests-at-once";q=3;qu="concurrent-requests"');
    expect(headers.get("ratelimit")).toBe('"requests-at-once";r=2');
  });

  test("other units are named", async () => {
    const { headers } = await routeOf({ limit: { tokens: 3, per: "1d" } }).send();
    expect(headers.get("ratelimit-policy")).toBe('"tokens-per-1d";q=3;w=86400;qu="tokens"');
  });

  test("names that nobody gave are told apart", async () => {
    const { headers } = await routeOf({ limit: ["9/m", { requests: 5, per: "60s", by: "route" }] }).send();
    expect(headers.get("ratelimit-policy")).toBe('"requests-per-1m-2";q=5;w=60, "requests-per-1m";q=9;w=60');
  });

  test("limitHeaders", async () => {
    const both = await routeOf({ limit: "5/m", limitHeaders: "both" }).send();
    expect(["limit", "remaining", "reset"].map((name) => both.headers.get(`x-ratelimit-${name}`))).toEqual(["5", "4", "60060"]);
    expect(both.headers.has("ratelimit")).toBe(true);
    const none = routeOf({ limit: "1/m", limitHeaders: "none" });
    expect((await none.send()).headers.has("ratelimit")).toBe(false);
    const refused = await none.send();
    expect([refused.headers.has("ratelimit"), refused.headers.get("retry-after")]).toEqual([false, "60"]);
  });
});

describe("shadow mode", () => {
  test("of the route", async () => {
    const gateway = routeOf({ limit: "1/m", mode: "shadow" });
    await gateway.send();
    const answer = await gateway.send();
    expect(answer).toMatchObject({ status: 200, steps: ["limit: would-refuse", "respond: answered"] });
    expect(answer.headers.has("ratelimit")).toBe(false);
  });

  test("of one limit among others", async () => {
    const gateway = routeOf({ limit: ["9/m", { requests: 1, per: "1h", mode: "shadow" }] });
    await gateway.send();
    const answer = await gateway.send();
    expect(answer.steps).toEqual(["limit: would-refuse", "limit: passed", "respond: answered"]);
    expect(answer.record.steps[0]?.reason).toBe('over "requests-per-1h"');
    expect(answer.headers.get("ratelimit")).toBe('"requests-per-1m";r=7;t=60');
  });
});

describe("tiers", () => {
  const config = {
    tiers: { basic: { limit: "1/m", quota: "10/month" }, pro: { limit: ["3/m", "100/h"] } },
    routes: [
      { path: "/a", limit: "tier", use: identify },
      { path: "/b", limit: ["tier", "50/m"], use: identify },
    ],
  };
  const of = async ({ send }: TestGateway, target: string, user: string, tier?: string) =>
    send({ target, headers: { "x-user": user, ...(tier === undefined ? {} : { "x-tier": tier }) } });

  test("hold over all routes that say so", async () => {
    const gateway = gatewayOf(config, { now: () => nowMs });
    expect((await of(gateway, "/a", "ada", "basic")).status).toBe(200);
    expect((await of(gateway, "/b", "ada", "basic")).status).toBe(429);
    const pro = [
      await of(gateway, "/a", "bob", "pro"),
      await of(gateway, "/b", "bob", "pro"),
      await of(gateway, "/a", "bob", "pro"),
    ];
    expect(pro.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await of(gateway, "/a", "bob", "pro")).status).toBe(429);
  });

  test("the first is everybody's who has none, or one that is not there", async () => {
    const gateway = gatewayOf(config, { now: () => nowMs });
    for (const tier of [undefined, "gold", "constructor"]) {
      const user = `user of ${tier}`;
      const first = await of(gateway, "/a", user, tier);
      expect(first.headers.get("ratelimit-policy")).toBe('"tier";q=1;w=60, "tier-quota";q=10;w=2678400');
      expect((await of(gateway, "/a", user, tier)).status).toBe(429);
    }
  });
});
