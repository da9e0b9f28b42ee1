/** Answers beyond one process: what a second gateway on the same store gets, what a purge reaches, and a store that fails. */
import { describe, expect, test } from "vitest";
import type { Blobs } from "#lib/contract/stores/blobs.ts";
import { unavailable } from "#lib/contract/stores/reply.ts";
import type { Stores } from "#lib/contract/stores/stores.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { cachedBackend, saidBy } from "./cached-backend.ts";

const cached = cachedBackend();

/** Blobs as over a network: every reply is a promise. The contract of the real ones is held in test/contracts. */
function remote(more: Partial<Blobs> = {}): { readonly stores: Stores; readonly asked: string[] } {
  const { blobs, ...rest } = createMemoryStores();
  const asked: string[] = [];
  const later = (async (name: string, reply: () => unknown) => {
    asked.push(name);
    return reply();
  }) as never as <T>(name: string, reply: () => T) => Promise<T>;
  const far: Blobs = {
    get: (key, nowMs) => later("get", () => blobs.get(key, nowMs)) as never,
    set: (key, value, options, nowMs) => later("set", () => blobs.set(key, value, options, nowMs)) as never,
    delete: (key) => later("delete", () => blobs.delete(key)) as never,
    deleteByTag: (tag) => later("deleteByTag", () => blobs.deleteByTag(tag)) as never,
    deleteByPrefix: (prefix) => later("deleteByPrefix", () => blobs.deleteByPrefix(prefix)) as never,
    ...more,
  };
  return { stores: { ...rest, blobs: far }, asked };
}

describe("a store behind memory", () => {
  const routes = [{ path: "/*", cache: { ttl: "1m", tags: "all" } }];

  test("another gateway gets what the first has stored, body and fields and age", async () => {
    const { stores } = remote();
    const [one, two] = [cached.gateway(routes, { stores }), cached.gateway(routes, { stores })];
    cached.answer("/", { "x-a": "\xfc", etag: '"1"' });
    const first = await one.send();
    await Promise.all(cached.deferred);
    cached.nowMs += 10_000;
    const answer = await two.send();
    expect([answer.text, answer.headers.get("x-a"), answer.headers.get("age"), saidBy(answer)]).toEqual([
      "answer 1",
      first.headers.get("x-a"),
      "10",
      "hit; ttl=50",
    ]);
    expect((await two.send({ headers: { "if-none-match": '"1"' } })).status).toBe(304);
  });

  test("also its variants, at two look-ups", async () => {
    const { stores, asked } = remote();
    const [one, two] = [cached.gateway(routes, { stores }), cached.gateway(routes, { stores })];
    cached.answer("/", { vary: "accept" });
    for (const accept of ["a", "b"]) await one.send({ headers: { accept } });
    await Promise.all(cached.deferred);
    asked.length = 0;
    const answer = await two.send({ headers: { accept: "b" } });
    expect([answer.text, answer.record.source, asked]).toEqual(["answer 2", "cache", ["get", "get"]]);
  });

  describe("with another config", () => {
    const route = routes[0]!;
    const other = { path: "/other" };
    const sends = (headers: object) => ({ ...route, headers: { request: { set: headers } } });
    const shaping = (value: string) => ({
      name: "shaping",
      cacheable: true,
      create: () => ({ onRequest: (_: unknown, { headers }: { headers: Map<string, string> }) => headers.set("x-a", value) }),
    });

    type Config = Parameters<typeof cached.gateway>;
    /** What `GET /` is answered from after it was stored under the first config. */
    async function sourceAfter(first: Config, second: Config): Promise<string> {
      const { stores } = remote();
      cached.answer("/");
      const [before, after] = [first, second].map(([list, more]) => cached.gateway(list, { ...more, stores }));
      await before!.send();
      await Promise.all(cached.deferred);
      return (await after!.send()).record.source;
    }

    test.each<[string, Config, Config]>([
      ["another route, before it", [routes], [[other, route]]],
      ["a limit", [routes], [[{ ...route, limit: "1000/m" }]]],
      ["CORS", [routes], [[{ ...route, cors: "https://app.example" }]]],
      ["fields that each caller gets", [routes], [[{ ...route, headers: { response: { set: { "x-a": "1" } } } }]]],
      ["a backend of other routes", [routes], [routes, { config: { backends: { shop: "SHOP", more: "http://127.0.0.1:1" } } }]],
    ])("%s: what was stored is still given", async (_, first, second) => {
      expect(await sourceAfter(own(first), own(second))).toBe("cache");
    });

    test.each<[string, Config, Config]>([
      ["the cache", [routes], [[{ path: "/*", cache: { ttl: "2m", tags: "all" } }]]],
      ["fields that the backend gets", [[sends({ "x-a": "1" })]], [[sends({ "x-a": "2" })]]],
      ["its rewrite", [routes], [[{ ...route, rewrite: "/" }]]],
      ["the address of its backend", [routes], [routes, { config: { backends: { shop: "http://localhost:SHOP_PORT" } } }]],
      ["what the backend is told", [routes], [routes, { config: { backends: { shop: { url: "SHOP", preserveHost: true } } } }]],
      [
        "the code of a custom policy",
        [[{ ...route, use: shaping("1") }]],
        [[{ ...route, use: { ...shaping("1"), create: () => ({}) } }]],
      ],
      ["anything, beside a custom policy", [[{ ...route, use: shaping("1") }]], [[{ ...route, use: shaping("1") }, other]]],
    ])("%s: the backend is asked", async (_, first, second) => {
      expect(await sourceAfter(own(first), own(second))).toBe("backend");
    });

    /** With this run's backend in the place of its name. */
    function own([list, more]: Config): Config {
      const { url } = cached.backend;
      const text = JSON.stringify(more?.config ?? {})
        .replaceAll("SHOP_PORT", new URL(url).port)
        .replaceAll("SHOP", url);
      return [list, { config: JSON.parse(text) as object }];
    }
  });

  test("is asked once in five seconds for what memory holds, and not on other hits", async () => {
    const { stores, asked } = remote();
    const { send } = cached.gateway(routes, { stores });
    cached.answer("/");
    await send();
    await Promise.all(cached.deferred);
    asked.length = 0;
    for (let second = 0; second < 10; second++) {
      cached.nowMs += 1000;
      expect((await send()).record.source).toBe("cache");
    }
    expect(asked).toEqual(["get", "get"]);
  });

  test("a purge by one gateway is heard of by another within five seconds", async () => {
    const { stores } = remote();
    const [one, two] = [cached.gateway(routes, { stores }), cached.gateway(routes, { stores })];
    cached.answer("/");
    await one.send();
    await Promise.all(cached.deferred);
    await two.send();
    expect(await one.gateway.purge({ tag: "all" })).toEqual({ state: "ok", value: 1 });
    expect((await one.send({ headers: { "cache-control": "only-if-cached" } })).status).toBe(504);
    cached.nowMs += 5000;
    expect((await two.send()).record.source).toBe("backend");
  });
});

describe("a store that fails", () => {
  const down = async () => unavailable("timeout");

  test("is a miss, and nothing else", async () => {
    const { stores } = remote({ get: down, set: down, deleteByTag: down });
    const { send } = cached.gateway([{ path: "/*", cache: "1m" }], { stores });
    cached.answer("/");
    expect(saidBy(await send())).toBe("fwd=uri-miss; stored");
    expect(saidBy(await send())).toBe("hit; ttl=60");
    cached.nowMs += 10_000;
    expect(saidBy(await send())).toBe("hit; ttl=50");
  });

  test("a purge that it did not take says so", async () => {
    const { stores } = remote({ deleteByTag: down });
    const { gateway } = cached.gateway([{ path: "/*", cache: "1m" }], { stores });
    expect(await gateway.purge({ tag: "a" })).toEqual({ state: "unavailable", reason: "timeout" });
  });

  test("what it holds and can't be read is a miss", async () => {
    const broken = async () => ({
      state: "ok" as const,
      value: { value: Buffer.from("nonsense"), expiresMs: Number.MAX_SAFE_INTEGER },
    });
    const { stores } = remote({ get: broken });
    const { send } = cached.gateway([{ path: "/*", cache: "1m" }], { stores });
    cached.answer("/");
    expect((await send()).status).toBe(200);
  });
});
