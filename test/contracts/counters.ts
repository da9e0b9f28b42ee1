/** What every implementation of counters must do. Time belongs to the test: `at` also sets the clock of libraries within. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Count, CounterRule, Counters, Take, Taken } from "#lib/contract/stores/counters.ts";
import { answered } from "./answered.ts";

export interface CountersUnderTest {
  readonly counters: Counters;
  /** Called before each operation with its time. */
  at(nowMs: number): void;
  close(): Promise<void>;
}

/** A full hour, so that windows of an hour and its parts begin here. */
export const START_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

const fixed = { algorithm: "fixed-window", limit: 3, windowMs: HOUR_MS } as const;
const sliding = { algorithm: "sliding-window", limit: 10, windowMs: HOUR_MS } as const;
const bucket = { algorithm: "token-bucket", limit: 5, refill: 2, windowMs: HOUR_MS } as const;
const leases = { algorithm: "concurrency", limit: 2, leaseMs: HOUR_MS } as const;
const period = { algorithm: "period", limit: 3, startMs: START_MS, endMs: START_MS + 31 * 24 * HOUR_MS } as const;
const rules: readonly CounterRule[] = [fixed, sliding, bucket, leases, period];

export function countersContract(name: string, make: () => Promise<CountersUnderTest>): void {
  describe(`counters of ${name}`, () => {
    let subject: CountersUnderTest;
    let keys = 0;
    const freshKey = () => `contract:${++keys}`;
    beforeAll(async () => {
      subject = await make();
    });
    afterAll(() => subject.close());

    async function takeAll(takes: readonly Take[], nowMs = START_MS): Promise<Taken> {
      subject.at(nowMs);
      return answered(subject.counters.take(takes, nowMs));
    }
    async function take(key: string, rule: CounterRule, nowMs = START_MS, cost = 1): Promise<Count> {
      const { allowed, counts } = await takeAll([{ key, rule, cost, enforce: true }], nowMs);
      expect(counts).toHaveLength(1);
      expect(counts[0]!.allowed).toBe(allowed);
      return counts[0]!;
    }
    async function peek(key: string, rule: CounterRule, nowMs = START_MS, cost = 1): Promise<Count> {
      subject.at(nowMs);
      return (await answered(subject.counters.peek([{ key, rule, cost, enforce: true }], nowMs)))[0]!;
    }
    async function settle(key: string, rule: CounterRule, delta: number, nowMs = START_MS): Promise<void> {
      subject.at(nowMs);
      await answered(subject.counters.settle(key, rule, delta, nowMs));
    }

    test("a fixed window allows its limit and starts anew at its end", async () => {
      const key = freshKey();
      const counts = [
        await take(key, fixed),
        await take(key, fixed, START_MS + 5),
        await take(key, fixed, START_MS + HOUR_MS - 1),
      ];
      expect(counts.map((count) => count.remaining)).toEqual([2, 1, 0]);
      expect(await take(key, fixed, START_MS + HOUR_MS - 1)).toEqual({
        allowed: false,
        remaining: 0,
        resetMs: START_MS + HOUR_MS,
      });
      expect(await take(key, fixed, START_MS + HOUR_MS)).toEqual({
        allowed: true,
        remaining: 2,
        resetMs: START_MS + 2 * HOUR_MS,
      });
    });

    test("a sliding window still counts the part of the last one that it covers, rounded down", async () => {
      const key = freshKey();
      for (let taken = 0; taken < 9; taken++) await take(key, sliding);
      // A quarter into the next window, three quarters of 9 stand: 6.75, rounded down to 6.
      expect(await take(key, sliding, START_MS + 1.25 * HOUR_MS)).toEqual({
        allowed: true,
        remaining: 3,
        resetMs: START_MS + 2 * HOUR_MS,
      });
      for (let taken = 0; taken < 3; taken++) await take(key, sliding, START_MS + 1.25 * HOUR_MS);
      expect((await take(key, sliding, START_MS + 1.25 * HOUR_MS)).allowed).toBe(false);
      expect((await take(key, sliding, START_MS + 3 * HOUR_MS)).remaining).toBe(9);
    });

    test("a token bucket refills whole, from its first use, never over its limit", async () => {
      const key = freshKey();
      const first = START_MS + 7;
      expect(await take(key, bucket, first)).toEqual({ allowed: true, remaining: 4, resetMs: first + HOUR_MS });
      for (let taken = 0; taken < 4; taken++) await take(key, bucket, first + 1);
      expect(await take(key, bucket, first + HOUR_MS - 1)).toEqual({ allowed: false, remaining: 0, resetMs: first + HOUR_MS });
      expect(await take(key, bucket, first + HOUR_MS)).toEqual({ allowed: true, remaining: 1, resetMs: first + 2 * HOUR_MS });
      expect((await peek(key, bucket, first + 9 * HOUR_MS)).remaining).toBe(5);
    });

    test("leases are places: taken, renewed, released, and free again when they expire", async () => {
      const key = freshKey();
      const one = await take(key, leases);
      const two = await take(key, leases, START_MS + 10);
      expect(one).toMatchObject({ allowed: true, remaining: 1, resetMs: START_MS + HOUR_MS });
      expect(two.lease).not.toBe(one.lease);
      const refused = await take(key, leases, START_MS + 20);
      expect(refused).toEqual({ allowed: false, remaining: 0, resetMs: START_MS + HOUR_MS });
      await answered(subject.counters.release(key, leases, one.lease!));
      expect((await take(key, leases, START_MS + 30)).allowed).toBe(true);
      expect(await answered(subject.counters.renew(key, leases, two.lease!, START_MS + HOUR_MS))).toBe(true);
      // The third lease is over, the renewed one is not.
      expect((await peek(key, leases, START_MS + 2 * HOUR_MS - 1)).remaining).toBe(1);
      expect(await answered(subject.counters.renew(key, leases, one.lease!, START_MS + HOUR_MS))).toBe(false);
      expect(await answered(subject.counters.renew(key, leases, two.lease!, START_MS + 3 * HOUR_MS))).toBe(false);
    });

    test("a period counts from its start to its end, and each period for itself", async () => {
      const key = freshKey();
      const next = { ...period, startMs: period.endMs, endMs: period.endMs + 28 * 24 * HOUR_MS };
      expect(await take(key, period, START_MS, 3)).toEqual({ allowed: true, remaining: 0, resetMs: period.endMs });
      expect((await take(key, period, period.endMs - 1)).allowed).toBe(false);
      expect(await take(key, next, period.endMs)).toEqual({ allowed: true, remaining: 2, resetMs: next.endMs });
      // A settlement that comes late lands in its own period.
      await settle(key, period, 1, period.endMs + 5);
      expect((await peek(key, next, period.endMs)).remaining).toBe(2);
    });

    test.each(rules)("$algorithm: cost 0 and peek take nothing, and are allowed while something is left", async (rule) => {
      const key = freshKey();
      for (let looks = 0; looks < 3; looks++) {
        const look = await take(key, rule, START_MS, 0);
        expect(look).toMatchObject({ allowed: true, remaining: rule.limit });
        expect(look.lease).toBeUndefined();
        expect(await peek(key, rule)).toMatchObject({ allowed: true, remaining: rule.limit });
      }
      for (let taken = 0; taken < rule.limit; taken++) expect((await take(key, rule)).remaining).toBe(rule.limit - taken - 1);
      expect((await take(key, rule, START_MS, 0)).allowed).toBe(false);
      expect((await peek(key, rule)).allowed).toBe(false);
    });

    test.each(rules)("$algorithm: a refused take is not charged, so what is given back is free at once", async (rule) => {
      const key = freshKey();
      let lease: string | undefined;
      for (let taken = 0; taken < rule.limit; taken++) lease = (await take(key, rule)).lease;
      for (let refused = 0; refused < 3; refused++) expect((await take(key, rule)).allowed).toBe(false);
      if (lease === undefined) await settle(key, rule, -1);
      else await answered(subject.counters.release(key, rule, lease));
      expect((await peek(key, rule)).remaining).toBe(1);
      expect((await take(key, rule)).allowed).toBe(true);
    });

    test.each([fixed, sliding, bucket, period])("$algorithm: a cost over what is left is refused whole", async (rule) => {
      const key = freshKey();
      expect((await take(key, rule, START_MS, rule.limit - 1)).remaining).toBe(1);
      expect(await take(key, rule, START_MS, 2)).toMatchObject({ allowed: false, remaining: 1 });
      expect((await take(key, rule)).remaining).toBe(0);
    });

    test.each([fixed, sliding, bucket, period])(
      "$algorithm: settling may go over the limit and never below nothing",
      async (rule) => {
        const key = freshKey();
        await take(key, rule);
        await settle(key, rule, rule.limit + 4);
        expect(await peek(key, rule)).toMatchObject({ allowed: false, remaining: 0 });
        await settle(key, rule, -5);
        expect(await peek(key, rule)).toMatchObject({ allowed: false, remaining: 0 });
        await settle(key, rule, -1000);
        expect((await peek(key, rule)).remaining).toBe(rule.limit);
      },
    );

    test.each(rules)("$algorithm: takes by one and takes together count in one place", async (rule) => {
      const [key, other] = [freshKey(), freshKey()];
      await take(key, rule);
      const { counts } = await takeAll([
        { key, rule, cost: 1, enforce: true },
        { key: other, rule, cost: 1, enforce: true },
      ]);
      expect(counts.map((count) => count.remaining)).toEqual([rule.limit - 2, rule.limit - 1]);
    });

    test("all or nothing: where one enforced take is refused, none is charged", async () => {
      const [full, free] = [freshKey(), freshKey()];
      await take(full, fixed, START_MS, 3);
      const takes = [
        { key: free, rule: sliding, cost: 2, enforce: true },
        { key: full, rule: fixed, cost: 1, enforce: true },
        { key: free, rule: leases, cost: 1, enforce: true },
      ];
      const { allowed, counts } = await takeAll(takes);
      expect(allowed).toBe(false);
      expect(counts.map((count) => count.allowed)).toEqual([true, false, true]);
      expect(counts.map((count) => count.lease)).toEqual([undefined, undefined, undefined]);
      expect((await peek(free, sliding)).remaining).toBe(10);
    });

    test("a limit in shadow mode reports a refusal, does not refuse the whole, and counts as if it were enforced", async () => {
      const [shadow, real] = [freshKey(), freshKey()];
      await take(shadow, fixed, START_MS, 3);
      const takes = [
        { key: shadow, rule: fixed, cost: 1, enforce: false },
        { key: real, rule: sliding, cost: 1, enforce: true },
      ];
      const { allowed, counts } = await takeAll(takes);
      expect(allowed).toBe(true);
      expect(counts.map((count) => [count.allowed, count.remaining])).toEqual([
        [false, 0],
        [true, 9],
      ]);
      await settle(shadow, fixed, -1);
      expect((await peek(shadow, fixed)).remaining).toBe(1);
      const alone = await takeAll([{ key: real, rule: { ...sliding, limit: 1 }, cost: 1, enforce: false }]);
      expect(alone).toMatchObject({ allowed: true, counts: [{ allowed: false, remaining: 0 }] });
    });

    test("two takes of one key in one call are counted together", async () => {
      const key = freshKey();
      const twice = (cost: number) => [
        { key, rule: fixed, cost, enforce: true },
        { key, rule: fixed, cost, enforce: true },
      ];
      expect((await takeAll(twice(2))).allowed).toBe(false);
      const { allowed, counts } = await takeAll(twice(1));
      expect(allowed).toBe(true);
      expect(counts.map((count) => count.remaining)).toEqual([1, 1]);
      expect((await peek(key, fixed)).remaining).toBe(1);
    });

    test.each([fixed, sliding, bucket, period])("$algorithm: `upTo` takes an eighth of what is left at most", async (base) => {
      const key = freshKey();
      const rule = { ...base, limit: 100 };
      const lease = async (upTo: number, cost = 1) =>
        (await takeAll([{ key, rule, cost, upTo, enforce: true }])).counts.map(({ taken, remaining }) => [taken, remaining])[0];
      expect(await lease(5)).toEqual([5, 95]);
      expect(await lease(50)).toEqual([11, 84]);
      expect(await lease(50, 80)).toEqual([80, 4]);
      expect(await lease(50)).toEqual([1, 3]);
      expect(await lease(50, 4)).toEqual([undefined, 3]);
      expect(await lease(50, 0)).toEqual([0, 3]);
    });

    test("a take up to more is all or nothing with others, and others of its key count what it takes", async () => {
      const [key, full] = [freshKey(), freshKey()];
      const rule = { ...sliding, limit: 80 };
      const takes = [
        { key, rule, cost: 1, upTo: 10, enforce: true },
        { key, rule, cost: 1, enforce: true },
      ];
      const { counts } = await takeAll(takes);
      expect(counts.map(({ taken, remaining }) => [taken, remaining])).toEqual([
        [10, 69],
        [undefined, 69],
      ]);
      await take(full, fixed, START_MS, 3);
      const refused = await takeAll([...takes, { key: full, rule: fixed, cost: 1, enforce: true }]);
      expect(refused.allowed).toBe(false);
      expect(refused.counts.map(({ taken }) => taken)).toEqual([undefined, undefined, undefined]);
      expect((await peek(key, rule)).remaining).toBe(69);
    });

    test("no takes are allowed", async () => {
      expect(await takeAll([])).toEqual({ allowed: true, counts: [] });
    });

    test.each(rules)("$algorithm: a reset forgets this key and no other", async (rule) => {
      const [key, other] = [freshKey(), freshKey()];
      await take(key, rule);
      await take(other, rule);
      subject.at(START_MS);
      await answered(subject.counters.reset(key, rule, START_MS));
      expect((await peek(key, rule)).remaining).toBe(rule.limit);
      expect((await peek(other, rule)).remaining).toBe(rule.limit - 1);
    });

    test("a sliding window that is reset forgets the last window too", async () => {
      const key = freshKey();
      await take(key, sliding, START_MS, 8);
      await take(key, sliding, START_MS + HOUR_MS);
      subject.at(START_MS + HOUR_MS);
      await answered(subject.counters.reset(key, sliding, START_MS + HOUR_MS));
      expect((await peek(key, sliding, START_MS + HOUR_MS)).remaining).toBe(10);
    });

    test.each(rules)("$algorithm: takes at the same time never go over the limit", async (rule) => {
      const key = freshKey();
      subject.at(START_MS);
      const takes = [{ key, rule, cost: 1, enforce: true }];
      const all = await Promise.all(Array.from({ length: 40 }, () => answered(subject.counters.take(takes, START_MS))));
      expect(all.filter((taken) => taken.allowed)).toHaveLength(rule.limit);
    });

    test("keys of any text and length are kept apart", async () => {
      const long = "x".repeat(5000);
      for (const key of [freshKey(), "a b", "a\nb", "ключ:🔑", "{tag}*?[a]", `${long}1`, `${long}2`]) {
        expect((await take(key, sliding)).remaining).toBe(9);
      }
    });
  });
}
