/** How the stores in Redis travel: one request for a turn's questions, and a reply, never an exception, when Redis is out. */
import { createServer, type Server } from "node:net";
import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Take } from "#lib/contract/stores/counters.ts";
import type { StoreReply } from "#lib/contract/stores/reply.ts";
import type { Stores } from "#lib/contract/stores/stores.ts";
import { createUpstashStores } from "#lib/stores/upstash/upstash-stores.ts";
import { answered } from "../contracts/answered.ts";
import { startBridge } from "../support/redis/bridge.ts";
import { RespConnection } from "../support/redis/resp-connection.ts";
import { startUpstash, type UpstashUnderTest } from "../support/redis/upstash-under-test.ts";

let upstash: UpstashUnderTest;
let redis: RespConnection;
let prefixes = 0;
let prefix: string;
beforeAll(async () => {
  upstash = await startUpstash();
  redis = new RespConnection(upstash.redis.port);
});
beforeEach(() => {
  prefix = `fd:trips:${++prefixes}:`;
});
afterAll(async () => {
  redis.close();
  await upstash.stop();
});

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const sliding = { algorithm: "sliding-window", limit: 10, windowMs: DAY_MS } as const;
const bucket = { algorithm: "token-bucket", limit: 10, refill: 10, windowMs: DAY_MS } as const;
const fixed = { algorithm: "fixed-window", limit: 10, windowMs: DAY_MS } as const;
const leases = { algorithm: "concurrency", limit: 10, leaseMs: HOUR_MS } as const;
const one = (rule: Take["rule"], key = "k"): Take[] => [{ key, rule, cost: 1, enforce: true }];
const patient = () => createUpstashStores({ ...upstash.bridge, prefix, budgetMs: 30_000 });

/** Every kind of question, by name. */
function everyQuestion({ counters, keys, once, blobs, log }: Stores): Record<string, () => Promise<StoreReply<unknown>>> {
  const nowMs = Date.now();
  const record = { id: "i", version: 1, digest: "d", name: "n", consumer: "c", hint: "h", createdMs: 1 };
  const questions = {
    "take by @upstash/ratelimit": () => counters.take(one(sliding), nowMs),
    "take by our script": () => counters.take(one(fixed), nowMs),
    peek: () => counters.peek(one(sliding), nowMs),
    settle: () => counters.settle("k", fixed, 1, nowMs),
    renew: () => counters.renew("k", leases, "lease", nowMs),
    release: () => counters.release("k", leases, "lease"),
    reset: () => counters.reset("k", sliding, nowMs),
    "key get": () => keys.get("d"),
    "key list": () => keys.list({ limit: 5 }),
    "key find": () => keys.find("i"),
    "key put": () => keys.put(record),
    "key replace": () => keys.replace({ ...record, version: 2 }),
    "key remove": () => keys.remove("i"),
    "key revoke": () => keys.revoke("i", nowMs),
    "key used": () => keys.used("d", nowMs),
    "key changes": () => keys.changes(0),
    claim: () => once.claim("k", HOUR_MS, nowMs),
    complete: () => once.complete("k", "token", "v", HOUR_MS, nowMs),
    "release of a claim": () => once.release("k", "token"),
    "blob get": () => blobs.get("k", nowMs),
    "blob set": () => blobs.set("k", new Uint8Array(1), { ttlMs: HOUR_MS }, nowMs),
    "blob set with tags": () => blobs.set("k", new Uint8Array(1), { ttlMs: HOUR_MS, tags: ["t"] }, nowMs),
    "blob delete": () => blobs.delete("k"),
    deleteByTag: () => blobs.deleteByTag("t"),
    deleteByPrefix: () => blobs.deleteByPrefix("k"),
    append: () => log.append("audit", 1, nowMs),
    page: () => log.page("audit", { limit: 5 }),
  };
  return Object.fromEntries(Object.entries(questions).map(([name, ask]) => [name, async () => ask()]));
}

async function askAll(stores: Stores): Promise<Record<string, StoreReply<unknown>>> {
  const asked = Object.entries(everyQuestion(stores)).map(async ([name, ask]) => [name, await ask()] as const);
  return Object.fromEntries(await Promise.all(asked));
}

describe("trips", () => {
  test("what is asked in one turn goes in one request: a key, limits both ways, a claim and a blob", async () => {
    const { counters, keys, once, blobs } = patient();
    const nowMs = Date.now();
    const ask = () =>
      Promise.all([
        keys.get("d"),
        counters.take(one(sliding), nowMs),
        counters.take([...one(fixed), ...one(bucket)], nowMs),
        once.claim("c", HOUR_MS, nowMs),
        blobs.get("b", nowMs),
      ]);
    // Redis learns the scripts.
    await ask();
    const before = upstash.bridge.requests;
    const replies = await ask();
    expect(replies.map((reply) => reply.state)).toEqual(["ok", "ok", "ok", "ok", "ok"]);
    expect(upstash.bridge.requests - before).toBe(1);
  });

  test("questions of several requests in one turn share a trip, also when asked after a few microtasks", async () => {
    const { keys } = patient();
    const before = upstash.bridge.requests;
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        for (let waits = 0; waits < index % 5; waits++) await undefined;
        return answered(keys.get(`d${index}`));
      }),
    );
    expect(upstash.bridge.requests - before).toBe(1);
  });

  test("a command that fails fails alone", async () => {
    const { keys, once } = patient();
    await redis.send(["SET", `${prefix}key:wrong`, "not a hash"]);
    const replies = await Promise.all([keys.get("right"), keys.get("wrong"), once.claim("c", HOUR_MS, 0)]);
    expect(replies).toMatchObject([{ state: "ok" }, { state: "unavailable", reason: "error" }, { state: "ok" }]);
  });

  test("a Redis that has forgotten the scripts learns them again", async () => {
    const stores = patient();
    const learnt = await askAll(stores);
    expect(Object.values(learnt).every((reply) => reply.state === "ok")).toBe(true);
    await redis.send(["SCRIPT", "FLUSH"]);
    const replies = await askAll(stores);
    expect(Object.entries(replies).filter(([, reply]) => reply.state !== "ok")).toEqual([]);
  });

  test("every name is under the prefix, and all but keys and logs end by themselves", async () => {
    await redis.send(["FLUSHALL"]);
    const { counters, keys, once, blobs, log } = patient();
    const nowMs = Date.now();
    const rules = [sliding, bucket, fixed, leases, { algorithm: "period", limit: 5, startMs: 0, endMs: nowMs + DAY_MS }] as const;
    for (const [index, rule] of rules.entries()) await answered(counters.take(one(rule, `k${index}`), nowMs));
    for (const rule of rules) await answered(counters.settle("settled only", rule, 2, nowMs));
    await answered(
      keys.put({ id: "i", version: 1, digest: "d", name: "n", consumer: "c", hint: "h", createdMs: 1, revokedMs: 2 }),
    );
    await answered(once.claim("c", HOUR_MS, nowMs));
    await answered(blobs.set("b", new Uint8Array(1), { ttlMs: HOUR_MS, tags: ["t"] }, nowMs));
    await answered(log.append("audit", 1, nowMs));
    const names = (await redis.send(["KEYS", "*"])) as string[];
    expect(names.length).toBeGreaterThan(12);
    expect(names.filter((name) => !name.startsWith(prefix))).toEqual([]);
    const lasting: string[] = [];
    for (const name of names) if ((await redis.send(["PTTL", name])) === -1) lasting.push(name.slice(prefix.length));
    expect(lasting.sort()).toEqual(["key-changes", "key-id:i", "key:d", "keys", "keys-of:c", "log:audit"]);
  });

  test("a limit taken by @upstash/ratelimit alone, by us and by our script counts once", async () => {
    const { counters } = patient();
    const nowMs = Date.now();
    const client = new Redis({ url: upstash.bridge.url, token: upstash.bridge.token, enableTelemetry: false });
    for (const [rule, tag, limiter] of [
      [sliding, "sw", Ratelimit.slidingWindow(10, "1 d")],
      [bucket, "tb", Ratelimit.tokenBucket(10, "1 d", 10)],
    ] as const) {
      const theirs = new Ratelimit({ redis: client, prefix: `${prefix}${tag}`, limiter, ephemeralCache: false });
      expect((await theirs.limit("k", { rate: 2 })).remaining).toBe(8);
      expect((await answered(counters.take(one(rule), nowMs))).counts[0]!.remaining).toBe(7);
      expect((await answered(counters.take([{ ...one(rule)[0]!, cost: 3 }], nowMs))).counts[0]!.remaining).toBe(4);
      expect((await theirs.limit("k")).remaining).toBe(3);
    }
  });
});

describe("outages: each question is answered `unavailable`, and nothing is thrown or printed", () => {
  const BUDGET_MS = 100;
  const unavailable = (reason: string) =>
    Object.fromEntries(Object.keys(everyQuestion(patient())).map((name) => [name, { state: "unavailable", reason }]));
  const printed = () => (["log", "warn", "error"] as const).map((level) => vi.spyOn(console, level));

  test("Redis hangs", async () => {
    const spies = printed();
    const stores = createUpstashStores({ ...upstash.bridge, prefix, budgetMs: BUDGET_MS });
    process.kill(upstash.redis.pid, "SIGSTOP");
    try {
      expect(await askAll(stores)).toEqual(unavailable("timeout"));
    } finally {
      process.kill(upstash.redis.pid, "SIGCONT");
    }
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
    // And it is back as soon as Redis is.
    expect(await patient().keys.get("d")).toMatchObject({ state: "ok" });
  });

  test("the answer comes, but after the budget", async () => {
    const slow = await startBridge({ redisPort: upstash.redis.port });
    const { promise, resolve } = Promise.withResolvers<void>();
    slow.holdAnswers(promise);
    expect(await askAll(createUpstashStores({ ...slow, prefix, budgetMs: BUDGET_MS }))).toEqual(unavailable("timeout"));
    resolve();
    await slow.stop();
  });

  test("the network takes the connection and says nothing", async () => {
    const silent = await listen(createServer(() => {}));
    const stores = createUpstashStores({ url: silent.url, token: "t", prefix, budgetMs: BUDGET_MS });
    expect(await askAll(stores)).toEqual(unavailable("timeout"));
    await silent.stop();
  });

  test("nobody listens", async () => {
    const gone = await listen(createServer());
    await gone.stop();
    const stores = createUpstashStores({ url: gone.url, token: "t", prefix, budgetMs: 30_000 });
    expect(await askAll(stores)).toEqual(unavailable("refused"));
  });

  test("the connection breaks in the middle", async () => {
    const rude = await listen(createServer((socket) => void socket.once("data", () => socket.destroy())));
    const stores = createUpstashStores({ url: rude.url, token: "t", prefix, budgetMs: 30_000 });
    expect(await askAll(stores)).toEqual(unavailable("refused"));
    await rude.stop();
  });

  test("the token is wrong", async () => {
    const stores = createUpstashStores({ url: upstash.bridge.url, token: "wrong", prefix, budgetMs: 30_000 });
    expect(await askAll(stores)).toEqual(unavailable("error"));
  });

  test("something else answers", async () => {
    const page = "HTTP/1.1 200 OK\r\ncontent-length: 13\r\nconnection: close\r\n\r\n<html></html>";
    const other = await listen(createServer((socket) => void socket.once("data", () => socket.end(page))));
    const stores = createUpstashStores({ url: other.url, token: "t", prefix, budgetMs: 30_000 });
    expect(await askAll(stores)).toEqual(unavailable("error"));
    await other.stop();
  });

  async function listen(server: Server): Promise<{ url: string; stop(): Promise<void> }> {
    const sockets = new Set<{ destroy(): void }>();
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    return {
      url: `http://127.0.0.1:${port}`,
      async stop() {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }
});

describe("a clock that is apart from Redis's", () => {
  test.each([
    [60_000, [60_000, 120_000]],
    [-60_000, [-60_000]],
    [0, [60_000]],
  ])("is told once a minute: first by %d ms", async (aheadMs, told) => {
    const skews: number[] = [];
    let nowMs = Date.now() + aheadMs;
    const onSkew = (found: number) => void skews.push(Math.round(found / 10_000) * 10_000);
    const stores = createUpstashStores({ ...upstash.bridge, prefix, now: () => nowMs, onSkew });
    for (let trip = 0; trip < 3; trip++) await answered(stores.blobs.get("k", nowMs));
    // A minute that passes here alone.
    nowMs += 60_000;
    await answered(stores.blobs.get("k", nowMs));
    await stores.close();
    expect(skews).toEqual(told);
  });
});
