/** Memory and Redis count alike: random sequences on both give the same answers. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { CounterRule, Counters, Take } from "#lib/stores/counters.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { createUpstashStores } from "#lib/stores/upstash/upstash-stores.ts";
import { answered } from "../contracts/answered.ts";
import { startUpstash, type UpstashUnderTest } from "../support/redis/upstash-under-test.ts";

/** Windows are long beside the test, since Redis ends its keys by its own clock. */
const WINDOW_MS = 3_600_000;
const START_MS = 1_800_000_000_000;
const algorithms = ["fixed-window", "sliding-window", "token-bucket", "concurrency", "period"] as const;

let upstash: UpstashUnderTest;
let runs = 0;
beforeAll(async () => {
  upstash = await startUpstash();
});
afterAll(async () => {
  vi.useRealTimers();
  await upstash.stop();
});

const rule = (algorithm: (typeof algorithms)[number]): fc.Arbitrary<CounterRule> => {
  const limit = fc.integer({ min: 0, max: 12 });
  const windowMs = fc.constantFrom(WINDOW_MS, WINDOW_MS + 7, 3 * WINDOW_MS);
  switch (algorithm) {
    case "token-bucket":
      return fc.record({ algorithm: fc.constant(algorithm), limit, windowMs, refill: fc.integer({ min: 1, max: 5 }) });
    case "concurrency":
      return fc.record({ algorithm: fc.constant(algorithm), limit, leaseMs: windowMs });
    case "period":
      return fc.record({
        algorithm: fc.constant(algorithm),
        limit,
        startMs: fc.constant(START_MS),
        endMs: fc.constant(START_MS + 100 * WINDOW_MS),
      });
    default:
      return fc.record({ algorithm: fc.constant(algorithm), limit, windowMs });
  }
};

/** One rule for each key, as a config gives it. */
const rules = fc.tuple(...algorithms.map(rule), rule("sliding-window"));
const step = fc.record({
  afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: WINDOW_MS / 4 }), fc.integer({ min: 0, max: 3 * WINDOW_MS })),
  what: fc.oneof(
    fc.record({
      take: fc.array(
        fc.record({
          key: fc.integer({ min: 0, max: 5 }),
          cost: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 5 })),
          enforce: fc.boolean(),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    }),
    fc.record({ peek: fc.integer({ min: 0, max: 5 }) }),
    fc.record({ settle: fc.integer({ min: 0, max: 5 }), delta: fc.integer({ min: -6, max: 6 }) }),
    fc.record({ giveBack: fc.nat(), renew: fc.boolean() }),
    fc.record({ reset: fc.integer({ min: 0, max: 5 }) }),
  ),
});

interface Lease {
  readonly key: string;
  readonly rule: CounterRule;
  /** Its token in each store. */
  readonly tokens: readonly string[];
}

test("random takes, looks, settlements, leases and resets", { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(rules, fc.array(step, { minLength: 5, maxLength: 40 }), async (ruleOf, steps) => {
      const prefix = `fd:agree:${++runs}:`;
      const both: Counters[] = [
        createMemoryStores().counters,
        createUpstashStores({ ...upstash.bridge, prefix, budgetMs: 30_000 }).counters,
      ];
      const leases: Lease[] = [];
      let nowMs = START_MS;
      async function same<T>(ask: (counters: Counters, index: number) => T): Promise<Awaited<T>> {
        const [memory, redis] = await Promise.all(both.map(ask));
        expect(withoutLeases(redis)).toEqual(withoutLeases(memory));
        return memory!;
      }
      for (const { afterMs, what } of steps) {
        nowMs += afterMs;
        // @upstash/ratelimit reads the process's clock.
        vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
        if ("take" in what) {
          const takes: Take[] = what.take.map(({ key, ...take }) => ({ ...take, key: `k${key}`, rule: ruleOf[key]! }));
          const taken = await Promise.all(both.map((counters) => answered(counters.take(takes, nowMs))));
          expect(withoutLeases(taken[1])).toEqual(withoutLeases(taken[0]));
          for (const [index, { key, rule }] of takes.entries()) {
            const tokens = taken.map(({ counts }) => counts[index]!.lease);
            if (tokens.every((token) => token !== undefined)) leases.push({ key, rule, tokens });
          }
        } else if ("peek" in what) {
          const takes = [{ key: `k${what.peek}`, rule: ruleOf[what.peek]!, cost: 1, enforce: true }];
          await same((counters) => answered(counters.peek(takes, nowMs)));
        } else if ("settle" in what) {
          await same((counters) => answered(counters.settle(`k${what.settle}`, ruleOf[what.settle]!, what.delta, nowMs)));
        } else if ("reset" in what) {
          await same((counters) => answered(counters.reset(`k${what.reset}`, ruleOf[what.reset]!, nowMs)));
        } else if (leases.length > 0) {
          const { key, rule, tokens } = leases[what.giveBack % leases.length]!;
          if (what.renew) await same((counters, index) => answered(counters.renew(key, rule, tokens[index]!, nowMs)));
          else await same((counters, index) => answered(counters.release(key, rule, tokens[index]!)));
        }
      }
    }),
    { numRuns: 150 },
  );
});

/** Tokens are random: whether there is one must agree, not which. */
function withoutLeases(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer ?? null, (name, value) => (name === "lease" ? "a lease" : value)));
}
