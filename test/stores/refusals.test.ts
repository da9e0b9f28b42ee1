/** A blocked caller who keeps knocking makes no trip to Redis, and is let in when Redis would. */
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Count, CounterRule, Counters, Take } from "#lib/contract/stores/counters.ts";
import { RECHECK_MS, Refusals } from "#lib/stores/upstash/refusals.ts";
import { createUpstashStores } from "#lib/stores/upstash/upstash-stores.ts";
import { answered } from "../contracts/answered.ts";
import { startUpstash, type UpstashUnderTest } from "../support/redis/upstash-under-test.ts";

const START_MS = 1_800_000_000_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const fixed = { algorithm: "fixed-window", limit: 5, windowMs: MINUTE_MS } as const;
const sliding = { algorithm: "sliding-window", limit: 5, windowMs: MINUTE_MS } as const;
const bucket = { algorithm: "token-bucket", limit: 5, refill: 2, windowMs: MINUTE_MS } as const;
const quota = { algorithm: "period", limit: 5, startMs: START_MS, endMs: START_MS + 24 * HOUR_MS } as const;
const places = { algorithm: "concurrency", limit: 5, leaseMs: HOUR_MS } as const;

let upstash: UpstashUnderTest;
let prefixes = 0;
let here: Counters;
let there: Counters;
beforeAll(async () => {
  upstash = await startUpstash();
});
beforeEach(() => {
  const prefix = `fd:refusals:${++prefixes}:`;
  [here, there] = [1, 2].map(() => createUpstashStores({ ...upstash.bridge, prefix, budgetMs: 30_000 }).counters) as [
    Counters,
    Counters,
  ];
});
afterAll(async () => {
  vi.useRealTimers();
  await upstash.stop();
});

async function take(rule: CounterRule, nowMs: number, more: Partial<Take> = {}, counters = here): Promise<Count> {
  // @upstash/ratelimit reads the process's clock.
  vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
  return (await answered(counters.take([{ key: "k", rule, cost: 1, enforce: true, ...more }], nowMs))).counts[0]!;
}

/** Takes all that there is and is refused twice: the second time our script says until when. */
async function block(rule: CounterRule, nowMs: number): Promise<void> {
  for (let taken = 0; taken < rule.limit; taken++) expect((await take(rule, nowMs)).allowed).toBe(true);
  for (let refused = 0; refused < 2; refused++) expect((await take(rule, nowMs)).allowed).toBe(false);
}

async function tripsOf(work: () => Promise<unknown>): Promise<number> {
  const { requests } = upstash.bridge;
  await work();
  return upstash.bridge.requests - requests;
}

test.each([fixed, sliding, bucket])("$algorithm: no trip until the window ends, then one", async (rule) => {
  await block(rule, START_MS);
  const trips = await tripsOf(async () => {
    for (let afterMs = 0; afterMs < MINUTE_MS; afterMs += 100) {
      expect(await take(rule, START_MS + afterMs)).toMatchObject({ allowed: false, remaining: 0, resetMs: START_MS + MINUTE_MS });
      await take(rule, START_MS + afterMs, { cost: 3 });
      await take(rule, START_MS + afterMs, { cost: 0 });
    }
  });
  expect(trips).toBe(0);
  // At the very start of its next window a sliding one still counts all of the last.
  const nextMs = START_MS + MINUTE_MS + (rule === sliding ? 15_000 : 0);
  expect(await tripsOf(async () => expect((await take(rule, nextMs)).allowed).toBe(true))).toBe(1);
});

test("a sliding window lets a caller in as soon as Redis would, not only at the window's end", async () => {
  await block(sliding, START_MS);
  const nextMs = START_MS + MINUTE_MS;
  // A fifth of the last window's five is a place: one each twelve seconds, as soon as its part is below a whole.
  const allowedAt: number[] = [];
  const trips = await tripsOf(async () => {
    for (let afterMs = 0; afterMs < MINUTE_MS; afterMs += 100) {
      if ((await take(sliding, nextMs + afterMs)).allowed) allowedAt.push(afterMs);
    }
  });
  // (In floating point (1 - 0.8) × 5 is a shade under 1, in Redis too: the last comes at once.)
  expect(allowedAt).toEqual([100, 12_100, 24_100, 36_100, 48_000]);
  // One that allows each place, and for the refusal after it one of the library and one or two of our script.
  expect(trips).toBeLessThanOrEqual(5 * 4 + 2);
});

test("a reset and what is given back by this instance are felt at once", async () => {
  for (const lift of [() => here.reset("k", fixed, START_MS), () => here.settle("k", fixed, -1, START_MS)]) {
    await answered(here.reset("k", fixed, START_MS));
    await block(fixed, START_MS);
    await answered(lift());
    expect((await take(fixed, START_MS)).allowed).toBe(true);
  }
});

test("of a long limit, a reset by another instance is felt within five seconds", async () => {
  await block(quota, START_MS);
  await answered(there.reset("k", quota, START_MS));
  expect((await take(quota, START_MS + RECHECK_MS - 1)).allowed).toBe(false);
  expect((await take(quota, START_MS + RECHECK_MS)).allowed).toBe(true);
});

test("of costs that are settled, what another instance gives back is felt within five seconds, and less may pass at once", async () => {
  await take(fixed, START_MS, { cost: 3 });
  expect((await take(fixed, START_MS, { cost: 3 })).allowed).toBe(false);
  expect(await tripsOf(() => take(fixed, START_MS, { cost: 4 }))).toBe(0);
  await answered(there.settle("k", fixed, -1, START_MS));
  expect((await take(fixed, START_MS + RECHECK_MS, { cost: 3 })).allowed).toBe(true);
  expect((await take(fixed, START_MS + RECHECK_MS, { cost: 2 })).allowed).toBe(false);
  await answered(there.settle("k", fixed, -1, START_MS));
  expect((await take(fixed, START_MS + RECHECK_MS, { cost: 1 })).allowed).toBe(true);
});

test("a config that raises the limit is not held to what was said before", async () => {
  await block(fixed, START_MS);
  expect((await take({ ...fixed, limit: 6 }, START_MS)).allowed).toBe(true);
});

test("what looks always asks", async () => {
  await block(fixed, START_MS);
  await answered(there.settle("k", fixed, -2, START_MS));
  const looked = await answered(here.peek([{ key: "k", rule: fixed, cost: 1, enforce: true }], START_MS));
  expect(looked).toEqual([{ allowed: true, remaining: 2, resetMs: START_MS + MINUTE_MS }]);
});

test("a limit in shadow mode and places in use are asked each time", async () => {
  await block(fixed, START_MS);
  expect(await tripsOf(() => take(fixed, START_MS, { enforce: false }))).toBe(1);
  await block(places, START_MS);
  expect(await tripsOf(() => take(places, START_MS))).toBe(1);
});

test("beside others it refuses the whole, and says that those were not asked", async () => {
  await block(fixed, START_MS);
  const takes = [
    { key: "other", rule: sliding, cost: 1, enforce: true },
    { key: "k", rule: fixed, cost: 1, enforce: true },
  ];
  const trips = await tripsOf(async () => {
    expect(await answered(here.take(takes, START_MS))).toEqual({
      allowed: false,
      counts: [
        { allowed: true, remaining: 5, resetMs: START_MS + MINUTE_MS, unasked: true },
        { allowed: false, remaining: 0, resetMs: START_MS + MINUTE_MS },
      ],
    });
  });
  expect(trips).toBe(0);
  expect((await take(sliding, START_MS, { key: "other" })).remaining).toBe(4);
});

test("a flood of names is remembered within bounds, and forgetting costs a trip, not an answer", async () => {
  const refusals = new Refusals();
  const refused = { allowed: false, remaining: 0, resetMs: START_MS + MINUTE_MS };
  for (let name = 0; name < 20_000; name++) {
    refusals.remember(`name ${name}`, { key: "k", rule: fixed, cost: 1, enforce: true }, refused, refused.resetMs, START_MS);
  }
  const held = Array.from({ length: 20_000 }, (_, name) => refusals.get(`name ${name}`, START_MS)).filter((entry) => entry);
  expect(held.length).toBeLessThanOrEqual(16_000);
  expect(refusals.get("name 19999", START_MS)).toBeDefined();
  expect(refusals.get("name 19999", START_MS + 2 * MINUTE_MS)).toBeUndefined();
});
