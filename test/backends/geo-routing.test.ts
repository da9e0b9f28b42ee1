/** Which targets a caller gets by where that is: how close, what stands behind a pool, residency, and what is not known. */
import { describe, expect, test } from "vitest";
import type { BackendTarget } from "#lib/backends/backend.ts";
import type { RequestContext } from "#lib/engine/request-context.ts";
import type { Geo } from "#lib/http/geo.ts";
import { UNIONS } from "#lib/http/geography.ts";
import { asking, backendOf, type TestBackend } from "./backend-of.ts";

const WORLD = [
  "http://else",
  { url: "http://continent", where: { continents: "EU" } },
  { url: "http://union", where: { union: "EU" } },
  { url: "http://country", where: "DE" },
  { url: "http://berlin", where: { subdivisions: "DE-BE" } },
  { url: "http://america", where: { subdivisions: ["US-CA"], countries: ["MX"] } },
];

/** The request after the step of the backend; undefined where that refuses it. */
function placed({ backend }: TestBackend, geo: Geo | undefined): RequestContext | undefined {
  const exchange = asking(geo ? { geo } : {});
  for (const [, policy] of backend.poolSteps) if (policy.decide!(exchange)) return undefined;
  return exchange;
}

/** In which order a caller would be sent to all of them, each failing. */
function route(settings: object, geo: Geo | undefined): string {
  const test = backendOf(settings);
  const exchange = placed(test, geo);
  if (!exchange) return "refused";
  const tried: BackendTarget[] = [];
  for (let target = test.backend.pick(exchange); target && !tried.includes(target); ) {
    tried.push(target);
    target = test.backend.pick(exchange, tried);
  }
  return tried.map(({ host }) => host).join();
}

describe("the closest place first, the others behind it", () => {
  test.each<[string, Geo | undefined, string]>([
    ["a part of a country", { country: "DE", subdivision: "BE" }, "berlin,country,union,continent,else,america"],
    ["a country", { country: "DE", subdivision: "BY" }, "country,union,continent,else,berlin,america"],
    ["a country of which a part is named, the part not told", { country: "DE" }, "country,union,continent,else,berlin,america"],
    ["a member of the union", { country: "FR", continent: "EU" }, "union,continent,else,country,berlin,america"],
    ["a country on the continent", { country: "CH" }, "continent,else,union,country,berlin,america"],
    ["one of several kinds in one `where`", { country: "MX" }, "america,else,continent,union,country,berlin"],
    ["the other kind", { country: "US", subdivision: "CA" }, "america,else,continent,union,country,berlin"],
    ["beside it", { country: "US", subdivision: "NY" }, "else,continent,union,country,berlin,america"],
    ["a continent alone", { continent: "EU" }, "continent,else,union,country,berlin,america"],
    ["another continent alone", { continent: "AS" }, "else,continent,union,country,berlin,america"],
    [
      "a continent that only its teller puts it on",
      { country: "TR", continent: "EU" },
      "continent,else,union,country,berlin,america",
    ],
    ["a place that is none", { country: "ZZ", subdivision: "CA" }, "else,continent,union,country,berlin,america"],
    ["a city without a country", { city: "Berlin" }, "else,continent,union,country,berlin,america"],
    ["nowhere", undefined, "else,continent,union,country,berlin,america"],
  ])("%s", (_, geo, hosts) => {
    // Those of one level take turns: a priority makes their order one to write down.
    const targets = WORLD.map((target, priority) => (typeof target === "string" ? target : { ...target, priority }));
    expect(route({ targets }, geo)).toBe(hosts);
  });

  test("every member of the union, and nobody else on the continent", () => {
    const test = backendOf({ targets: ["http://else", { url: "http://union", where: { union: "EU" } }] });
    const goesTo = (country: string) => test.backend.pick(placed(test, { country })!)!.host;
    for (const country of UNIONS.EU) expect(goesTo(country), country).toBe("union");
    for (const country of ["CH", "GB", "NO", "RS", "RU", "TR", "UA"]) expect(goesTo(country), country).toBe("else");
  });
});

describe("a pool is a list of targets like any other", () => {
  const pool = [
    { url: "http://heavy", where: "DE", weight: 3 },
    { url: "http://light", where: "DE" },
    { url: "http://standby", where: "DE", priority: 1 },
    "http://else",
  ];
  const de = { country: "DE" };
  const hosts = (test: TestBackend, times: number) =>
    Array.from({ length: times }, () => test.backend.pick(placed(test, de)!)!.host)
      .sort()
      .join();

  test("with weights, and priorities before the next pool", () => {
    expect(hosts(backendOf({ targets: pool }), 4)).toBe("heavy,heavy,heavy,light");
    expect(route({ targets: pool }, de)).toBe("heavy,light,standby,else");
  });

  test("by hash: a caller stays with its target of the pool", () => {
    const test = backendOf({ targets: pool.slice(0, 2).concat("http://else" as never), balance: "hash:consumer" });
    for (let turn = 0; turn < 50; turn++) {
      const exchange = placed(test, de)!;
      exchange.consumer = { id: `web:${turn}`, authenticator: "web" };
      const { host } = test.backend.pick(exchange)!;
      expect(["heavy", "light"]).toContain(host);
      expect(test.backend.pick(exchange)!.host).toBe(host);
    }
  });

  test("one that is out is left out, and one that is back takes its share step by step", () => {
    const test = backendOf({ targets: pool, slowStart: "10s" });
    const [heavy] = test.backend.targets;
    const isHeavy = (times: number) =>
      Array.from({ length: times }, () => hosts(test, 1)).filter((host) => host === "heavy").length;
    for (let i = 0; i < 5; i++) test.backend.end(heavy!, "failure", test.backend.begin(heavy!), undefined);
    expect(isHeavy(20)).toBe(0);
    test.nowMs += 1_001;
    test.backend.end(heavy!, "success", test.backend.begin(heavy!), 1);
    expect(isHeavy(130)).toBeLessThanOrEqual(32);
    test.nowMs += 10_000;
    expect(isHeavy(130)).toBeGreaterThanOrEqual(96);
  });

  test("a caller for a canary goes there, and then to the targets of its place", () => {
    const canary = { url: "http://next", percent: 100 };
    expect(route({ targets: pool.slice(1), canary }, de)).toBe("next,light,standby,else");
    expect(route({ targets: pool.slice(1), canary }, { country: "FR" })).toMatch(/^next,else,/);
  });
});

describe("strict", () => {
  const strict = (...targets: (string | object)[]) => ({ targets, strict: true });
  const europe = { url: "http://europe", where: { continents: "EU" } };
  const germany = { url: "http://germany", where: "DE" };

  test.each<[string, object, Geo | undefined, string]>([
    ["a caller stays in its pool", strict(europe, "http://else"), { country: "FR" }, "europe"],
    ["also where a wider one is there", strict(europe, germany, "http://else"), { country: "DE" }, "germany"],
    ["and everyone else in theirs", strict(europe, "http://else"), { country: "US" }, "else"],
    ["somebody whose place is not known is everyone else", strict(europe, "http://else"), undefined, "else"],
    ["and is refused where there is no such pool", strict(europe), undefined, "refused"],
    ["as is a caller for whom there is none", strict(europe, germany), { country: "US" }, "refused"],
    [
      "a pool that is drained is no reason to leave it",
      strict({ ...europe, weight: 0 }, "http://else"),
      { country: "FR" },
      "refused",
    ],
    ["nor is one for everyone else", strict(europe, { url: "http://else", weight: 0 }), { country: "US" }, "refused"],
    [
      "the second tier of a pool is in it",
      strict(europe, { ...europe, url: "http://standby", priority: 1 }, "http://else"),
      { country: "FR" },
      "europe,standby",
    ],
  ])("%s", (_, settings, geo, hosts) => {
    expect(route(settings, geo)).toBe(hosts);
  });

  test("without it all of these get somewhere", () => {
    expect(route({ targets: [{ ...europe, weight: 0 }, "http://else"] }, { country: "FR" })).toBe("else");
    expect(route({ targets: [europe] }, { country: "US" })).toBe("europe");
  });

  test("what the refusal says: to the operator for whom there is no target, to the caller not even that", () => {
    const { backend } = backendOf(strict(europe));
    const refused = (geo?: Geo) => backend.poolSteps[0]![1].decide!(asking(geo ? { geo } : {}));
    expect(refused({ country: "US" })).toEqual({
      code: "no-backend-available",
      detail: "No backend serves the place that the request comes from.",
      reason: "strict: no target is for US",
    });
    expect(refused({ continent: "AS" })).toMatchObject({ reason: "strict: no target is for AS" });
    expect(refused()).toMatchObject({ reason: "strict: no target is for a caller whose place is not known" });
  });

  test("a request that no step has placed counts as one from nowhere", () => {
    expect(backendOf(strict(europe)).backend.pick(asking())).toBeUndefined();
    expect(backendOf(strict(europe, "http://else")).backend.pick(asking())!.host).toBe("else");
  });
});

test("pools are made once: a request only looks its own up", () => {
  const test = backendOf({ targets: WORLD });
  for (const geo of [{ country: "DE" }, { country: "US", subdivision: "CA" }, { continent: "EU" }, undefined])
    expect(placed(test, geo)!.pool).toBe(placed(test, geo)!.pool);
  expect(placed(test, { country: "FR" })!.pool).toBe(placed(test, { country: "IT" })!.pool);
});

test("a backend without `where` has no step, and its requests no pool", () => {
  expect(backendOf({ targets: ["http://a", "http://b"] }).backend.poolSteps).toEqual([]);
});
