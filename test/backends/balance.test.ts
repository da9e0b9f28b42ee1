/** Which target a request gets: shares, stickiness and hashing over 100,000 choices, tiers, slow start. */
import { describe, expect, test } from "vitest";
import type { BackendTarget } from "#lib/backends/backend.ts";
import { asking, backendOf, sharesOf } from "./backend-of.ts";

const MANY = 100_000;
const one = asking();
const three = ["http://a", "http://b", "http://c"];
const weighted = [{ url: "http://a", weight: 5 }, { url: "http://b", weight: 3 }, "http://c", { url: "http://d", weight: 0 }];
/** Within which a share of a random choice lies, but once in a billion runs (six standard deviations). */
const within = (share: number) => 6 * Math.sqrt(MANY * share * (1 - share));

function expectShares(shares: Record<string, number>, expected: Record<string, number>, most = within): void {
  expect(Object.keys(shares).sort()).toEqual(Object.keys(expected));
  for (const [host, share] of Object.entries(expected))
    expect(Math.abs(shares[host]! - share * MANY), `${host}: ${shares[host]} of ${MANY}`).toBeLessThanOrEqual(most(share));
}

describe("shares", () => {
  test("round robin is exact to the request", () => {
    expectShares(
      sharesOf(backendOf({ targets: weighted }), MANY, () => one),
      { a: 5 / 9, b: 3 / 9, c: 1 / 9 },
      () => 2,
    );
  });

  test("a heavy target's turns are spread among the others'", () => {
    const { backend } = backendOf({ targets: weighted });
    const turns = Array.from({ length: 900 }, () => backend.pick(one)!.host).join("");
    expect(turns).not.toContain("aaaa");
    expect(turns).not.toContain("bbb");
  });

  test.each(["least-inflight", "p2c"])("%s on idle targets is random by equal shares", (balance) => {
    expectShares(
      sharesOf(backendOf({ targets: three, balance }), MANY, () => one),
      { a: 1 / 3, b: 1 / 3, c: 1 / 3 },
    );
  });

  test("p2c keeps to the weights while nobody is busy", () => {
    expectShares(
      sharesOf(backendOf({ targets: weighted, balance: "p2c" }), MANY, () => one),
      { a: 5 / 9, b: 3 / 9, c: 1 / 9 },
    );
  });

  test("least-inflight keeps to the weights of requests under way", () => {
    const { backend } = backendOf({ targets: weighted, balance: "least-inflight" });
    for (let i = 0; i < 900; i++) backend.pick(one)!.state.inFlight++;
    expect(backend.targets.map(({ state }) => state.inFlight)).toEqual([500, 300, 100, 0]);
  });

  test("p2c prefers the less busy of two", () => {
    const test = backendOf({ targets: three, balance: "p2c" });
    test.backend.targets[0]!.state.inFlight = 5;
    // It is chosen only where it is drawn twice.
    expectShares(
      sharesOf(test, MANY, () => one),
      { a: 1 / 9, b: 4 / 9, c: 4 / 9 },
    );
  });
});

describe("hashing", () => {
  const caller = (turn: number) => asking({ ip: `10.${turn >> 16}.${(turn >> 8) & 255}.${turn & 255}` });
  const byIp = { targets: three, balance: "hash:ip" };

  test("spreads callers by the weights", () => {
    expectShares(sharesOf(backendOf(byIp), MANY, caller), { a: 1 / 3, b: 1 / 3, c: 1 / 3 });
    expectShares(sharesOf(backendOf({ ...byIp, targets: weighted }), MANY, caller), { a: 5 / 9, b: 3 / 9, c: 1 / 9 });
  });

  test("the same value has the same target, on every instance and wherever that stands in the list", () => {
    const { backend } = backendOf(byIp);
    const other = backendOf({ ...byIp, targets: three.toReversed() }).backend;
    for (let turn = 0; turn < 1000; turn++) {
      const { url } = backend.pick(caller(turn))!;
      expect([backend.pick(caller(turn))!.url, other.pick(caller(turn))!.url]).toEqual([url, url]);
    }
  });

  test.each([
    ["equal weights", three, "http://d", 1 / 4],
    ["different weights", weighted.slice(0, 3), { url: "http://d", weight: 3 }, 3 / 12],
  ])("a target that comes takes its share and moves no other: %s", (_, targets, added, share) => {
    const before = backendOf({ ...byIp, targets }).backend;
    const after = backendOf({ ...byIp, targets: [...targets, added] }).backend;
    let moved = 0;
    for (let turn = 0; turn < MANY; turn++) {
      const exchange = caller(turn);
      const [was, is] = [before.pick(exchange)!.host, after.pick(exchange)!.host];
      if (was === is) continue;
      moved++;
      expect(is).toBe("d");
    }
    expect(Math.abs(moved - share * MANY)).toBeLessThanOrEqual(within(share));
  });

  const names = Array.from({ length: 50 }, (_, index) => `value-${index}`);
  const spread = (balance: string, exchange: (name: string) => ReturnType<typeof asking>) => {
    const { backend } = backendOf({ targets: three, balance });
    return new Set(names.map((name) => backend.pick(exchange(name))!.host)).size;
  };

  test("by consumer, header or cookie; without one, by address", () => {
    expect(spread("hash:consumer", (id) => asking({ ip: "10.0.0.1", consumer: { id, authenticator: "web" } }))).toBe(3);
    expect(spread("hash:consumer", () => asking({ ip: "10.0.0.1" }))).toBe(1);
    expect(spread("hash:header:X-Tenant", (value) => asking({ ip: "10.0.0.1", headers: ["x-tenant", value] }))).toBe(3);
    expect(spread("hash:cookie:seat", (value) => asking({ ip: "10.0.0.1", headers: ["cookie", `a=b; seat=${value}`] }))).toBe(3);
    expect(spread("hash:cookie:seat", (value) => asking({ ip: "10.0.0.1", headers: ["cookie", `Seat=${value}`] }))).toBe(1);
  });

  test("a caller of whom nothing is known gets any", () => {
    expect(Object.keys(sharesOf(backendOf(byIp), 100, () => one))).toHaveLength(3);
  });
});

describe("nearest", () => {
  const [berlin, paris, virginia, sydney] = [
    { url: "http://berlin", at: { lat: 52.5, lon: 13.4 } },
    { url: "http://paris", at: { lat: 48.9, lon: 2.4 } },
    { url: "http://virginia", at: { lat: 39, lon: -77.5 } },
    { url: "http://sydney", at: { lat: -33.9, lon: 151.2 } },
  ];
  const from = (latitude: number, longitude: number) => asking({ geo: { latitude, longitude } });
  const goesTo = (targets: object[], exchange: ReturnType<typeof asking>) =>
    Object.keys(sharesOf(backendOf({ targets, balance: "nearest" }), 12, () => exchange)).sort();

  test.each([
    ["Frankfurt", 50.1, 8.7, "berlin"],
    ["Madrid", 40.4, -3.7, "paris"],
    ["São Paulo", -23.5, -46.6, "virginia"],
    ["Reykjavík, over the pole from nobody", 64.1, -21.9, "paris"],
    ["Fiji, across the date line", -18.1, 178.4, "sydney"],
    ["Hawaii, on the other side of it", 21.3, -157.9, "virginia"],
  ])("a caller in %s", (_, latitude, longitude, host) => {
    expect(goesTo([berlin!, paris!, virginia!, sydney!], from(latitude, longitude))).toEqual([host]);
  });

  test("the next one where it is out; in turn at one place, and where coordinates are not known", () => {
    const test = backendOf({ targets: [berlin!, paris!, sydney!], balance: "nearest" });
    const exchange = from(50.1, 8.7);
    expect(test.backend.pick(exchange, [test.backend.targets[0]!])!.host).toBe("paris");
    const both = [berlin!, { ...berlin, url: "http://potsdam", weight: 2 }, sydney!];
    expect(sharesOf(backendOf({ targets: both, balance: "nearest" }), 90, () => exchange)).toEqual({ berlin: 30, potsdam: 60 });
    expect(goesTo(both, asking({ geo: { country: "DE" } }))).toEqual(["berlin", "potsdam", "sydney"]);
    expect(goesTo(both, asking())).toEqual(["berlin", "potsdam", "sydney"]);
  });
});

describe("tiers and pools", () => {
  const tiers = [
    "http://a",
    { url: "http://b", priority: 1 },
    { url: "http://c", priority: 1 },
    { url: "http://d", priority: 2 },
  ];

  test("the next tier is asked only once the one before was", () => {
    const { backend } = backendOf({ targets: tiers });
    const tried: BackendTarget[] = [];
    while (tried.length < tiers.length) tried.push(backend.pick(one, tried)!);
    const [first, ...others] = tried.map(({ host }) => host);
    expect([first, others.slice(0, 2).sort(), others.slice(2)]).toEqual(["a", ["b", "c"], ["d"]]);
  });

  test("a pool holds the choice to its targets, in its own order", () => {
    const test = backendOf({ targets: tiers });
    const inPool = asking();
    inPool.pool = [[1, 3], [2]];
    expect(Object.keys(sharesOf(test, 10, () => inPool)).sort()).toEqual(["b", "d"]);
    const [, b, c, d] = test.backend.targets;
    expect(test.backend.pick(inPool, [d!, b!])).toBe(c);
    expect([b, c, d]).toContain(test.backend.pick(inPool, [d!, b!, c!]));
    inPool.pool = [];
    expect(test.backend.pick(inPool)).toBeUndefined();
  });
});

describe("slow start", () => {
  test("a target that is new beside warm ones takes its share step by step", () => {
    const before = backendOf({ targets: three.slice(0, 2) });
    const after = backendOf({ targets: three, slowStart: "10s" }, before);
    const share = (host: string) => sharesOf(after, 1000, () => one)[host]! / 1000;
    expect(share("c")).toBeCloseTo(0.1 / 2.1, 1);
    after.nowMs += 5_000;
    expect(share("c")).toBeCloseTo(0.5 / 2.5, 1);
    after.nowMs += 5_000;
    expect(share("c")).toBeCloseTo(1 / 3, 2);
  });

  test("none at the first start, and none where it is off", () => {
    const first = backendOf({ targets: three, slowStart: "10s" });
    expect(sharesOf(first, 300, () => one)).toEqual({ a: 100, b: 100, c: 100 });
    const added = backendOf({ targets: [...three, "http://d"], slowStart: false }, first);
    expect(sharesOf(added, 400, () => one)["d"]).toBe(100);
  });
});

test("a target keeps what is known of it across reloads, and loses it with its place in the config", () => {
  const { states, backend } = backendOf({ targets: three });
  backend.targets[1]!.state.inFlight = 4;
  const after = backendOf({ targets: [...three].reverse() }, { states }).backend;
  expect(after.targets[1]!.state).toBe(backend.targets[1]!.state);
  backendOf({ targets: ["http://a"] }, { states });
  expect(backendOf({ targets: three }, { states }).backend.targets[1]!.state.inFlight).toBe(0);
});
