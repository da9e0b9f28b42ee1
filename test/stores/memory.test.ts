/** The stores in memory: the contracts, and what holds only here. */

import { describe, expect, test } from "vitest";
import type { MemoryOnce } from "#lib/stores/memory/memory-once.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { answered } from "../contracts/answered.ts";
import { blobsContract } from "../contracts/blobs.ts";
import { countersContract } from "../contracts/counters.ts";
import { keysContract } from "../contracts/keys.ts";
import { logContract } from "../contracts/log.ts";
import { metricsContract } from "../contracts/metrics.ts";
import { onceContract } from "../contracts/once.ts";

const make = async () => ({ ...createMemoryStores({ maxLogEntries: 200 }), at: () => {} });
countersContract("memory", make);
keysContract("memory", make);
keysContract("memory, of revoked tokens", async () => {
  const { revoked, ...stores } = await make();
  return { ...stores, keys: revoked };
});
onceContract("memory", make);
blobsContract("memory", make);
logContract("memory", make);
metricsContract("memory", make);

const NOW_MS = 1_800_000_000_000;
const MINUTE_MS = 60_000;
const rule = { algorithm: "fixed-window", limit: 2, windowMs: MINUTE_MS } as const;

describe("counters in memory are bounded", () => {
  function under(maxIdentifiers: number) {
    const { counters } = createMemoryStores({ maxIdentifiers });
    const take = async (key: string, nowMs = NOW_MS) =>
      (await answered(counters.take([{ key, rule, cost: 1, enforce: true }], nowMs))).counts[0]!;
    const block = async (key: string) => {
      while ((await take(key)).allowed);
    };
    return { counters, take, block };
  }

  test("a flood of callers never holds more than the limit", async () => {
    const { counters, take } = under(100);
    for (let caller = 0; caller < 5000; caller++) await take(`caller ${caller}`);
    expect(counters.size).toBe(100);
  });

  test("what has expired goes first, though it was used last", async () => {
    const { take } = under(3);
    await take("long ago", NOW_MS - MINUTE_MS);
    await take("a");
    await take("b");
    await take("long ago", NOW_MS - MINUTE_MS);
    await take("newcomer");
    expect((await take("a")).remaining).toBe(0);
    expect((await take("b")).remaining).toBe(0);
  });

  test("then the least recently used, and it does not lose its count", async () => {
    const { take } = under(2);
    await take("a");
    await take("b");
    await take("a");
    await take("newcomer");
    expect((await take("a")).allowed).toBe(false);
    expect((await take("b")).remaining).toBe(0);
  });

  test.each([
    rule,
    { ...rule, algorithm: "sliding-window" },
    { algorithm: "token-bucket", limit: 2, refill: 1, windowMs: MINUTE_MS },
  ] as const)("$algorithm: a flood of names resets nobody's count: who was evicted goes on from where it was", async (rule) => {
    const { counters } = createMemoryStores({ maxIdentifiers: 50 });
    const limit = 10;
    const take = async (key: string) =>
      (await answered(counters.take([{ key, rule: { ...rule, limit }, cost: 1, enforce: true }], NOW_MS))).counts[0]!;
    for (let request = 0; request < limit - 1; request++) await take("attacker");
    for (let name = 0; name < 2000; name++) await take(`name ${name}`);
    expect((await take("attacker")).remaining).toBe(0);
    for (let name = 2000; name < 4000; name++) await take(`name ${name}`);
    expect((await take("attacker")).allowed).toBe(false);
    expect(counters.size).toBe(50);
  });

  test("what was evicted is forgotten with its window, and a reset caller starts anew", async () => {
    const { counters, take } = under(1);
    await take("a");
    await take("newcomer");
    await answered(counters.reset("a", rule));
    expect((await take("a")).remaining).toBe(1);
    await take("newcomer");
    expect((await take("a")).remaining).toBe(0);
    await take("newcomer", NOW_MS + MINUTE_MS);
    expect((await take("a", NOW_MS + MINUTE_MS)).remaining).toBe(1);
  });

  test("places in use are never evicted, and are free again once released", async () => {
    const { counters } = createMemoryStores({ maxIdentifiers: 3 });
    const places = { algorithm: "concurrency", limit: 1, leaseMs: MINUTE_MS } as const;
    const take = async (key: string) =>
      (await answered(counters.take([{ key, rule: places, cost: 1, enforce: true }], NOW_MS))).counts[0]!;
    const { lease } = await take("held");
    for (let name = 0; name < 100; name++) {
      const held = await take(`name ${name}`);
      if (held.lease) await answered(counters.release(`name ${name}`, places, held.lease));
    }
    expect((await take("held")).allowed).toBe(false);
    await answered(counters.release("held", places, lease!));
    expect((await take("held")).allowed).toBe(true);
    expect(counters.size).toBe(1);
  });

  test("a blocked caller stays blocked, whoever else comes", async () => {
    const { counters, take, block } = under(3);
    await block("blocked");
    for (let caller = 0; caller < 1000; caller++) await take(`caller ${caller}`);
    expect((await take("blocked")).allowed).toBe(false);
    expect(counters.size).toBe(3);
  });

  test("when all places are held by blocked callers, newcomers share one limit", async () => {
    const { counters, take, block } = under(2);
    await block("one");
    await block("two");
    expect((await take("three")).allowed).toBe(true);
    expect((await take("four")).allowed).toBe(true);
    expect((await take("five")).allowed).toBe(false);
    expect(counters.size).toBe(2);
    // The block is over with its window: places are free again.
    expect((await take("five", NOW_MS + MINUTE_MS)).remaining).toBe(1);
    expect((await take("six", NOW_MS + MINUTE_MS)).remaining).toBe(1);
  });

  test("looking and being refused take no place", async () => {
    const { counters, take } = under(10);
    await take("full");
    await take("full");
    for (let caller = 0; caller < 100; caller++) {
      const [full, other] = [`full`, `other ${caller}`].map((key) => ({ key, rule, cost: 1, enforce: true }));
      expect((await answered(counters.take([full!, other!], NOW_MS))).allowed).toBe(false);
      await answered(counters.peek([other!], NOW_MS));
    }
    expect(counters.size).toBe(1);
  });

  test("a request that was slow and brings the last window's time does not end this one", async () => {
    const { take } = under(10);
    await take("k");
    await take("k");
    expect((await take("k", NOW_MS - 1)).allowed).toBe(false);
    expect((await take("k")).allowed).toBe(false);
  });
});

describe("the other stores in memory are bounded", () => {
  test("a claim that is alive is never forgotten: a full store does not answer", () => {
    const { once } = createMemoryStores({ maxClaims: 2 });
    once.claim("a", MINUTE_MS, NOW_MS);
    once.claim("b", MINUTE_MS, NOW_MS);
    expect(once.claim("c", MINUTE_MS, NOW_MS)).toEqual({ state: "unavailable", reason: "error" });
    expect(once.claim("a", MINUTE_MS, NOW_MS)).toEqual({ state: "ok", value: { state: "held" } });
    expect(once.claim("c", MINUTE_MS, NOW_MS + MINUTE_MS)).toMatchObject({ state: "ok", value: { state: "claimed" } });
  });

  test("the values of claims have a size together", async () => {
    const { once } = createMemoryStores({ maxClaimBytes: 100 });
    const claimed = await answered(once.claim("a", MINUTE_MS, NOW_MS));
    const token = claimed.state === "claimed" ? claimed.token : "";
    expect(once.complete("a", token, "x".repeat(51), MINUTE_MS, NOW_MS)).toEqual({ state: "unavailable", reason: "error" });
    expect(once.complete("a", token, "x".repeat(50), MINUTE_MS, NOW_MS)).toEqual({ state: "ok", value: true });
  });

  test("a claim ends with its time", async () => {
    const { once } = createMemoryStores();
    const claimed = await answered(once.claim("a", MINUTE_MS, NOW_MS));
    const token = claimed.state === "claimed" ? claimed.token : "";
    expect(await answered(once.complete("a", token, "late", MINUTE_MS, NOW_MS + MINUTE_MS))).toBe(false);
    expect((await answered(once.claim("a", MINUTE_MS, NOW_MS + MINUTE_MS))).state).toBe("claimed");
  });

  test("blobs stay within their bytes: expired first, then least recently used, and one that is too large is not kept", async () => {
    const { blobs } = createMemoryStores({ maxBlobBytes: 4000 });
    const kilobyte = new Uint8Array(1000);
    const has = async (key: string) => (await answered(blobs.get(key, NOW_MS))) !== undefined;
    blobs.set("a", kilobyte, { ttlMs: MINUTE_MS }, NOW_MS);
    blobs.set("short", kilobyte, { ttlMs: 1 }, NOW_MS - 1);
    blobs.set("b", kilobyte, { ttlMs: MINUTE_MS }, NOW_MS);
    blobs.set("c", kilobyte, { ttlMs: MINUTE_MS }, NOW_MS);
    expect([await has("a"), await has("b"), await has("c")]).toEqual([true, true, true]);
    await has("a");
    blobs.set("d", kilobyte, { ttlMs: MINUTE_MS }, NOW_MS);
    expect([await has("a"), await has("b"), await has("c"), await has("d")]).toEqual([true, false, true, true]);
    blobs.set("huge", new Uint8Array(5000), { ttlMs: MINUTE_MS }, NOW_MS);
    expect([await has("huge"), await has("d")]).toEqual([false, true]);
    for (let index = 0; index < 10_000; index++) blobs.set(`empty ${index}`, new Uint8Array(), { ttlMs: MINUTE_MS }, NOW_MS);
    expect(blobs.bytes).toBeLessThanOrEqual(4000);
  });

  test("keys are never dropped to make room", () => {
    const { keys } = createMemoryStores({ maxKeys: 1 });
    const key = { id: "1", digest: "d1", name: "n", version: 1, consumer: "c", hint: "h", createdMs: 1 };
    expect(keys.put(key)).toEqual({ state: "ok", value: undefined });
    expect(keys.put({ ...key, id: "2", digest: "d2" })).toEqual({ state: "unavailable", reason: "error" });
    expect(keys.put({ ...key, name: "renamed" })).toEqual({ state: "ok", value: undefined });
  });

  test("a log stays within its bytes", async () => {
    const { log } = createMemoryStores({ maxLogBytes: 10_000 });
    for (let index = 0; index < 100; index++) log.append("records", "x".repeat(500), NOW_MS);
    const { items } = await answered(log.page("records", { limit: 1000 }));
    expect(items.length).toBeGreaterThan(5);
    expect(items.length).toBeLessThan(11);
  });
});

describe("one owner's claims", () => {
  const claim = (once: MemoryOnce, key: string, owner: string, nowMs = NOW_MS) => {
    const reply = once.claim(key, MINUTE_MS, nowMs, owner);
    return reply.state === "ok" ? reply.value : expect.fail(reply.reason);
  };
  const token = (once: MemoryOnce, key: string, owner: string) => {
    const claimed = claim(once, key, owner);
    return claimed.state === "claimed" ? claimed.token : expect.fail(claimed.state);
  };

  test("are a quarter of all at most: the others go on, and so does who asks for a key that is there", () => {
    const { once } = createMemoryStores({ maxClaims: 8 });
    for (const key of ["1", "2"]) expect(claim(once, key, "eve").state).toBe("claimed");
    expect(claim(once, "3", "eve")).toEqual({ state: "exhausted" });
    expect(claim(once, "1", "eve")).toEqual({ state: "held" });
    expect(claim(once, "3", "ada").state).toBe("claimed");
    expect(claim(once, "4", "eve", NOW_MS + MINUTE_MS).state).toBe("claimed");
  });

  test("hold a quarter of the bytes at most, and a smaller value still finds room", () => {
    const { once } = createMemoryStores({ maxClaimBytes: 800 });
    expect(once.complete("1", token(once, "1", "eve"), "x".repeat(90), MINUTE_MS, NOW_MS)).toEqual({ state: "ok", value: true });
    const second = token(once, "2", "eve");
    expect(once.complete("2", second, "x".repeat(20), MINUTE_MS, NOW_MS)).toEqual({ state: "unavailable", reason: "error" });
    expect(once.complete("2", second, "x", MINUTE_MS, NOW_MS)).toEqual({ state: "ok", value: true });
    expect(once.complete("3", token(once, "3", "ada"), "x".repeat(90), MINUTE_MS, NOW_MS)).toEqual({ state: "ok", value: true });
  });
});
