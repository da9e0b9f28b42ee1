import { describe, expect, test } from "vitest";
import { createApi, runOperation } from "#lib/admin/api.ts";
import { faultsIn } from "#lib/admin/json-schema.ts";
import { usageOperations } from "#lib/admin/usage-api.ts";
import type { Refusal } from "#lib/contract/problem.ts";
import { unavailable } from "#lib/contract/stores/reply.ts";
import type { Stores } from "#lib/contract/stores/stores.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { gatewayOf } from "../gateway.ts";
import { identify } from "./identify.ts";

const CONFIG = {
  tiers: { basic: { limit: "5/m", quota: "100/month" }, pro: { limit: "50/m" } },
  routes: [
    { path: "/a", limit: ["tier", { requests: 9, per: "1m", name: "shared" }], use: identify },
    {
      path: "/b",
      limit: ["tier", { requests: 9, per: "1m", name: "shared" }, { requests: 3, per: "1m", by: "consumer" }],
      use: identify,
    },
    {
      path: "/c",
      limit: [
        { requests: 7, per: "1m", by: "header:x" },
        { requests: 7, per: "1m", by: "global", name: "all" },
      ],
    },
  ],
};

function setUp(stores: Stores = createMemoryStores()) {
  let nowMs = 60_000_000;
  const gateway = gatewayOf(CONFIG, { stores, now: () => nowMs });
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const { config } = gateway.gateway;
  const api = createApi(usageOperations({ stores, log, config, now: () => nowMs, random: (bytes) => new Uint8Array(bytes) }));
  return {
    send: (target: string, user: string) => gateway.send({ target, ip: "192.0.2.1", headers: { "x-user": user } }),
    pass: (ms: number) => {
      nowMs += ms;
    },
    async ask(method: string, target: string, body: unknown = {}): Promise<unknown> {
      const { pathname, searchParams } = new URL(`http://gateway/${target}`);
      const found = api.find(method, pathname.slice(1).split("/").map(decodeURIComponent));
      if (!found || "allow" in found) return found;
      const done = await runOperation(found, { query: searchParams, body, actor: { by: "operator" } });
      if ("code" in done) return done;
      // What is answered is what the OpenAPI document promises.
      expect(faultsIn(done.body, found.operation.answer!)).toEqual([]);
      return done.body;
    },
    audited: async () => {
      const reply = await stores.log.page("audit", { limit: 10 });
      return reply.state === "ok" ? reply.value.items.map(({ value }) => value) : [];
    },
  };
}

describe("usage", () => {
  test("of a consumer: each count once, nothing taken, nothing of others", async () => {
    const { send, ask } = setUp();
    await send("/a", "ada");
    await send("/b", "ada");
    await send("/b", "bob");
    const report = { consumer: "ada", ip: null, override: null };
    const minute = { unit: "requests", algorithm: "sliding-window", windowSeconds: 60, resetsAt: "1970-01-01T16:41:00.000Z" };
    const limits = [
      { ...minute, name: "tier", route: null, limit: 5, used: 2, remaining: 3 },
      {
        ...minute,
        name: "tier-quota",
        route: null,
        algorithm: "period",
        windowSeconds: 2678400,
        limit: 100,
        used: 2,
        remaining: 98,
        resetsAt: "1970-02-01T00:00:00.000Z",
      },
      { ...minute, name: "requests-per-1m", route: "/b", limit: 3, used: 1, remaining: 2 },
    ];
    expect(await ask("GET", "usage?consumer=ada")).toEqual({ ...report, limits });
    expect(await ask("GET", "usage?consumer=ada")).toEqual({ ...report, limits });
    expect(await ask("GET", "usage?consumer=ada&tier=pro")).toMatchObject({ limits: [{ name: "tier", limit: 50 }, {}] });
  });

  test("of an address: what counts before anybody is known", async () => {
    const { send, ask } = setUp();
    await send("/a", "ada");
    const { limits } = (await ask("GET", "usage?ip=192.0.2.1")) as { limits: { name: string; used: number }[] };
    expect(limits.find(({ name }) => name === "shared")).toMatchObject({ used: 1, remaining: 8 });
    expect(limits.map(({ name }) => name)).not.toContain("all");
  });

  test("is forgotten on request, for that consumer alone", async () => {
    const { send, ask } = setUp();
    for (let i = 0; i < 5; i++) await send("/a", "ada");
    await send("/a", "bob");
    expect((await send("/a", "ada")).status).toBe(429);
    expect(await ask("DELETE", "usage?consumer=ada")).toEqual({ reset: ["tier", "tier-quota", "requests-per-1m"] });
    expect((await send("/a", "ada")).status).toBe(200);
    expect(await ask("GET", "usage?consumer=bob")).toMatchObject({ limits: [{ used: 1 }, { used: 1 }, {}] });
  });

  test("faults of the question", async () => {
    const { ask } = setUp();
    const errors = async (target: string) => ((await ask("GET", target)) as Refusal).errors;
    expect(await errors("usage")).toEqual([{ pointer: "?consumer", detail: "say whose usage: `consumer` or `ip`" }]);
    expect(await errors("usage?ip=here")).toEqual([{ pointer: "?ip", detail: "expected an IP address" }]);
    expect(await errors(`usage?consumer=${"x".repeat(300)}`)).toHaveLength(1);
    expect(await ask("POST", "usage?consumer=a")).toEqual({ allow: ["GET", "HEAD", "DELETE"] });
    expect(await ask("GET", "usage/x?consumer=a")).toBeUndefined();
    expect(await ask("GET", "other")).toBeUndefined();
  });
});

describe("overrides", () => {
  test("hold within 5 s, and are taken away within 5 s", async () => {
    const { send, ask, pass, audited } = setUp();
    const left = async () => (await send("/a", "ada")).headers.get("ratelimit-policy");
    expect(await left()).toContain('"tier";q=5;w=60');
    expect(await ask("PUT", "overrides/ada", { limits: { tier: 20 } })).toEqual({ limits: { tier: 20 } });
    pass(5000);
    await left();
    expect(await left()).toContain('"tier";q=20;w=60');
    expect(await ask("GET", "overrides/ada")).toEqual({ limits: { tier: 20 } });
    expect(await ask("GET", "overrides")).toEqual({ ada: { limits: { tier: 20 } } });
    expect(await ask("DELETE", "overrides/ada")).toEqual({ removed: "ada" });
    pass(5000);
    await left();
    expect(await left()).toContain('"tier";q=5;w=60');
    expect(await ask("GET", "overrides/ada")).toMatchObject({ code: "not-found" });
    expect(await ask("DELETE", "overrides/ada")).toMatchObject({ code: "not-found" });
    expect(await audited()).toMatchObject([
      { action: "override.removed", target: "ada" },
      { action: "override.set", target: "ada", details: { override: { limits: { tier: 20 } } } },
    ]);
  });

  test("may name another tier", async () => {
    const { send, ask } = setUp();
    await ask("PUT", "overrides/ada", { tier: "pro" });
    await send("/a", "ada");
    expect((await send("/a", "ada")).headers.get("ratelimit-policy")).toContain('"tier";q=50');
  });

  test("hold for the first request of an instance, where it would be refused", async () => {
    const stores = createMemoryStores();
    const before = setUp(stores);
    for (let i = 0; i < 5; i++) await before.send("/a", "ada");
    await before.ask("PUT", "overrides/ada", { limits: { tier: 20 } });
    // What an instance knows belongs to its stores: others are a new one.
    const fresh = setUp({ ...stores });
    expect((await fresh.send("/a", "ada")).status).toBe(200);
    expect((await fresh.send("/a", "bob")).status).toBe(200);
  });

  test("that don't fit are refused, with the reason", async () => {
    const { ask } = setUp();
    const errors = async (body: unknown) =>
      ((await ask("PUT", "overrides/ada", body)) as Refusal).errors?.map(({ detail }) => detail);
    expect(await errors([])).toEqual(["expected an object"]);
    expect(await errors({})).toEqual([expect.stringContaining('"tier" or "limits" is missing')]);
    expect(await errors({ limit: {} })).toHaveLength(1);
    expect(await errors({ tier: 3 })).toEqual(["expected a text"]);
    expect(await errors({ limits: { tier: 0 } })).toEqual(['the limit "tier" takes a whole number above 0']);
    expect(await ask("PUT", `overrides/${"x".repeat(300)}`, { tier: "pro" })).toMatchObject({ code: "request-invalid" });
    expect(await ask("GET", "overrides")).toEqual({});
  });
});

test("a store that is away is said to be", async () => {
  const memory = createMemoryStores();
  const counters = Object.assign(Object.create(memory.counters) as typeof memory.counters, {
    peek: () => unavailable("timeout"),
  });
  const { ask } = setUp({ ...memory, counters });
  expect(await ask("GET", "usage?consumer=ada")).toMatchObject({ code: "store-unavailable" });
});
