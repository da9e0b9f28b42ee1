/** Every store counts as the oracle does: random sequences, on a clock that goes where it likes. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { CounterRule, Counters, Take, Taken } from "#lib/contract/stores/counters.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { createUpstashStores } from "#lib/stores/upstash/upstash-stores.ts";
import { answered } from "../contracts/answered.ts";
import { startUpstash, type UpstashUnderTest } from "../support/redis/upstash-under-test.ts";
import { CountingOracle } from "./counting-oracle.ts";

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
const key = fc.integer({ min: 0, max: 5 });
const take = fc.record({
  key,
  cost: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 5 })),
  enforce: fc.boolean(),
  upTo: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined, freq: 4 }),
});
const step = fc.record({
  afterMs: fc.oneof(
    fc.constant(0),
    fc.integer({ min: 0, max: WINDOW_MS / 4 }),
    fc.integer({ min: 0, max: 3 * WINDOW_MS }),
    // Clocks are set back, a little and a lot; and requests come late.
    fc.integer({ min: -WINDOW_MS / 4, max: 0 }),
    fc.integer({ min: -5 * WINDOW_MS, max: 0 }),
    // To the last moment of a window and to the first.
    fc.constantFrom("window's last", "window's first"),
  ),
  what: fc.oneof(
    { arbitrary: fc.record({ take: fc.array(take, { minLength: 1, maxLength: 4 }) }), weight: 6 },
    fc.record({ peek: key }),
    fc.record({ settle: key, delta: fc.integer({ min: -6, max: 6 }) }),
    fc.record({ giveBack: fc.nat(), renew: fc.boolean() }),
    fc.record({ reset: key }),
  ),
});

interface Lease {
  readonly key: string;
  readonly rule: CounterRule;
  /** Its token in the store and in the oracle. */
  readonly tokens: readonly [string, string];
}

function after(nowMs: number, step: number | string): number {
  const nextMs = (Math.floor(nowMs / WINDOW_MS) + 1) * WINDOW_MS;
  if (step === "window's first") return nextMs;
  return step === "window's last" ? nextMs - 1 : nowMs + (step as number);
}

const stores: readonly { readonly where: "redis" | "process"; open(): Counters }[] = [
  { where: "process", open: () => createMemoryStores().counters },
  {
    where: "redis",
    open: () => createUpstashStores({ ...upstash.bridge, prefix: `fd:agree:${++runs}:`, budgetMs: 30_000 }).counters,
  },
];

describe.each(stores)("counting in a $where", ({ where, open }) => {
  test("is that of the oracle, whatever comes and whenever", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(rules, fc.array(step, { minLength: 5, maxLength: 40 }), async (ruleOf, steps) => {
        const counters = open();
        const oracle = new CountingOracle(where);
        const leases: Lease[] = [];
        let nowMs = START_MS;
        for (const { afterMs, what } of steps) {
          nowMs = after(nowMs, afterMs);
          // @upstash/ratelimit reads the process's clock.
          vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
          if ("take" in what) {
            const takes: Take[] = what.take.map(({ key, upTo, ...take }) => {
              const rule = ruleOf[key]!;
              return { ...take, key: `k${key}`, rule, upTo: rule.algorithm === "concurrency" ? undefined : upTo };
            });
            const restore = oracle.save();
            const expected = oracle.take(takes, nowMs);
            const { requests } = upstash.bridge;
            const taken = await answered(counters.take(takes, nowMs));
            const isRemembered = where === "redis" && upstash.bridge.requests === requests;
            if (isRemembered) {
              expectRightlyRefused(takes, taken, expected, nowMs);
              restore();
            } else expectSame(taken, expected);
            for (const [index, { key, rule }] of takes.entries()) {
              const tokens = [taken.counts[index]!.lease, expected.counts[index]!.lease] as const;
              if (tokens[0] !== undefined && tokens[1] !== undefined) leases.push({ key, rule, tokens: [tokens[0], tokens[1]] });
            }
          } else if ("peek" in what) {
            const takes = [{ key: `k${what.peek}`, rule: ruleOf[what.peek]!, cost: 1, enforce: true }];
            expect(await answered(counters.peek(takes, nowMs))).toEqual(oracle.peek(takes, nowMs));
          } else if ("settle" in what) {
            oracle.settle(`k${what.settle}`, ruleOf[what.settle]!, what.delta, nowMs);
            await answered(counters.settle(`k${what.settle}`, ruleOf[what.settle]!, what.delta, nowMs));
          } else if ("reset" in what) {
            oracle.reset(`k${what.reset}`, ruleOf[what.reset]!, nowMs);
            await answered(counters.reset(`k${what.reset}`, ruleOf[what.reset]!, nowMs));
          } else if (leases.length > 0) {
            const { key, rule, tokens } = leases[what.giveBack % leases.length]!;
            if (what.renew) {
              expect(await answered(counters.renew(key, rule, tokens[0], nowMs))).toBe(oracle.renew(key, rule, tokens[1], nowMs));
            } else {
              oracle.release(key, tokens[1]);
              await answered(counters.release(key, rule, tokens[0]));
            }
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

/** Tokens are random: whether there is one must agree, not which. */
function expectSame(taken: Taken, expected: Taken): void {
  const plain = ({ allowed, counts }: Taken) => ({
    allowed,
    counts: counts.map(({ lease, ...count }) => ({ ...count, isLeased: lease !== undefined })),
  });
  expect(plain(taken)).toEqual(plain(expected));
}

/** Refused without a trip: rightly, though what is left and when may be told as they were at the last one. */
function expectRightlyRefused(takes: readonly Take[], taken: Taken, expected: Taken, nowMs: number): void {
  expect([taken.allowed, expected.allowed]).toEqual([false, false]);
  for (const [index, { unasked, allowed, remaining, resetMs }] of taken.counts.entries()) {
    const right = expected.counts[index]!;
    if (unasked) continue;
    expect([allowed, right.allowed]).toEqual([false, false]);
    expect(remaining).toBeLessThan(Math.max(1, takes[index]!.cost));
    expect(resetMs).toBeGreaterThan(nowMs);
  }
}
