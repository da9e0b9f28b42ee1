/**
 * Leases, simulated: many instances, one store, and a network that delays and loses, on a clock of the test's. No window holds
 * more than its limit, what is missing from it is at most what the instances hold, and warm traffic asks next to nothing.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CounterRule, Counters, Take, Taken } from "#lib/contract/stores/counters.ts";
import { ok, type Pending, type StoreReply, unavailable } from "#lib/contract/stores/reply.ts";
import { IDLE_MS, LeasedCounters, MAX_LEASE } from "#lib/stores/leased-counters.ts";
import { answered } from "../contracts/answered.ts";
import { CountingOracle } from "./counting-oracle.ts";

const START_MS = 1_800_000_000_000;
const MINUTE_MS = 60_000;
type Leasable = Exclude<CounterRule, { algorithm: "concurrency" }>;

/** Events by their time, those of one time in the order in which they were planned. */
class Timeline {
  readonly #events: { readonly atMs: number; readonly run: () => void }[] = [];
  nowMs = START_MS;

  at(atMs: number, run: () => void): void {
    const later = this.#events.findIndex((event) => event.atMs > atMs);
    this.#events.splice(later < 0 ? this.#events.length : later, 0, { atMs, run });
  }

  async run(): Promise<void> {
    for (let event = this.#events.shift(); event; event = this.#events.shift()) {
      this.nowMs = event.atMs;
      event.run();
      // What awaits the event goes on before the next one.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

interface World {
  readonly timeline: Timeline;
  readonly store: CountingOracle;
  /** A number from 0 to 1. */
  chance(): number;
  readonly maxDelayMs: number;
  /** The share of trips that bring no answer; half of these were made all the same. */
  readonly lost: number;
  trips: number;
  /** Trips that took ahead. */
  leases: number;
}

/** The store as one instance sees it. */
function overTheNetwork(world: World): Counters {
  const { timeline, store } = world;
  function travel<T>(ask: () => T): Promise<StoreReply<T>> {
    world.trips++;
    const isLost = world.chance() < world.lost;
    const arrives = !isLost || world.chance() < 0.5;
    const [there, back] = [world.chance() * world.maxDelayMs, world.chance() * world.maxDelayMs];
    return new Promise((resolve) => {
      timeline.at(timeline.nowMs + there, () => {
        const value = arrives ? ask() : undefined;
        timeline.at(timeline.nowMs + back, () => resolve(isLost ? unavailable("timeout") : ok(value as T)));
      });
    });
  }
  return {
    take(takes, nowMs) {
      if (takes.some(({ upTo }) => upTo !== undefined)) world.leases++;
      return travel(() => store.take(takes, nowMs));
    },
    peek: (takes, nowMs) => travel(() => store.peek(takes, nowMs)),
    settle: (key, rule, delta, nowMs) => travel(() => store.settle(key, rule, delta, nowMs)),
    reset: (key, rule, nowMs) => travel(() => store.reset(key, rule, nowMs)),
    renew: () => ok(false),
    release: () => ok(undefined),
  };
}

interface Seen {
  readonly atMs: number;
  readonly cost: number;
  readonly outcome: "allowed" | "refused" | "unavailable";
}

interface Plan {
  readonly rule: Leasable;
  readonly exact?: CounterRule;
  readonly instances: number;
  readonly requests: readonly { readonly afterMs: number; readonly instance: number; readonly cost: number }[];
  readonly world: Pick<World, "chance" | "maxDelayMs" | "lost">;
}

async function simulate({ rule, exact, instances, requests, world: given }: Plan) {
  const world: World = { ...given, timeline: new Timeline(), store: new CountingOracle("redis"), trips: 0, leases: 0 };
  const fleet = Array.from({ length: instances }, () => new LeasedCounters(overTheNetwork(world)));
  const seen: Seen[] = [];
  let atMs = START_MS;
  for (const { afterMs, instance, cost } of requests) {
    atMs += afterMs;
    const nowMs = Math.floor(atMs);
    world.timeline.at(nowMs, () => {
      const takes: Take[] = [{ key: "k", rule, cost, enforce: true, exact: false }];
      if (exact) takes.push({ key: "exact", rule: exact, cost: 1, enforce: true });
      const note = (reply: StoreReply<Taken>) => {
        const outcome = reply.state !== "ok" ? "unavailable" : reply.value.allowed ? "allowed" : "refused";
        seen.push({ atMs: nowMs, cost, outcome });
      };
      const reply: Pending<Taken> = fleet[instance % instances]!.take(takes, nowMs);
      if (reply instanceof Promise) void reply.then(note);
      else note(reply);
    });
  }
  await world.timeline.run();
  return { seen, world, fleet };
}

/** Units that were allowed, by the window of their request's own time. */
function spentByWindow(seen: readonly Seen[], windowMs: number): Map<number, number> {
  const spent = new Map<number, number>();
  for (const { atMs, cost, outcome } of seen) {
    const start = Math.floor(atMs / windowMs) * windowMs;
    if (outcome === "allowed") spent.set(start, (spent.get(start) ?? 0) + cost);
  }
  return spent;
}

/** The largest lease of a limit: what docs/limits.md calls B. */
function largestLease(limit: number): number {
  return Math.min(MAX_LEASE, Math.floor(limit / 8));
}

const chances = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })).map((stream) => () => stream.next().value!);
const network = (lost: number) =>
  fc.record({ chance: chances, maxDelayMs: fc.integer({ min: 0, max: 200 }), lost: fc.constant(lost) });
/** Dense enough that a window is spent several times over, so that what is held at its end would be missed or spent too late. */
const traffic = (maxCost: number) =>
  fc.integer({ min: 1, max: 10 }).chain((maxGapMs) =>
    fc.array(
      fc.record({
        // Now and then a pause, after which other instances may hold what this one lacks.
        afterMs: fc.oneof({ arbitrary: fc.integer({ min: 0, max: maxGapMs }), weight: 200 }, fc.integer({ min: 0, max: 900 })),
        instance: fc.nat({ max: 11 }),
        cost: fc.integer({ min: 1, max: maxCost }),
      }),
      { minLength: 400, maxLength: 800, size: "max" },
    ),
  );
const limit = fc.integer({ min: 1, max: 300 });
const windowMs = fc.constantFrom(500, 1_000, 2_000);
const windows = fc.record({ algorithm: fc.constantFrom("fixed-window" as const, "sliding-window" as const), limit, windowMs });
const buckets = fc.record({
  algorithm: fc.constant("token-bucket" as const),
  limit,
  refill: fc.integer({ min: 1, max: 50 }),
  windowMs,
});
const instances = fc.integer({ min: 1, max: 12 });
const runs = { numRuns: 60, endOnFailure: true };

describe("many instances on one limit", () => {
  test("no window holds more than its limit, whatever is delayed and lost", { timeout: 60_000 }, async () => {
    const plans = fc.record({ rule: windows, instances, requests: traffic(5), world: network(0.05) });
    let leases = 0;
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const { seen, world } = await simulate(plan);
        leases += world.leases;
        for (const spent of spentByWindow(seen, plan.rule.windowMs).values()) expect(spent).toBeLessThanOrEqual(plan.rule.limit);
      }),
      runs,
    );
    // The plans are of a kind that leases.
    expect(leases).toBeGreaterThan(500);
  });

  test("a sliding window holds by its own arithmetic at each moment", { timeout: 60_000 }, async () => {
    // Without delays: what arrives when its window is over was not in the last window's count before, exact or not.
    const world = network(0).map((network) => ({ ...network, maxDelayMs: 0 }));
    const rule = windows.map((rule) => ({ ...rule, algorithm: "sliding-window" as const }));
    await fc.assert(
      fc.asyncProperty(fc.record({ rule, instances, requests: traffic(1), world }), async (plan) => {
        const { seen } = await simulate(plan);
        const { limit, windowMs } = plan.rule;
        const allowed = seen.filter(({ outcome }) => outcome === "allowed").sort((a, b) => a.atMs - b.atMs);
        const spent = new Map<number, number>();
        for (const { atMs, cost } of allowed) {
          const start = Math.floor(atMs / windowMs) * windowMs;
          spent.set(start, (spent.get(start) ?? 0) + cost);
          const before = Math.floor((1 - (atMs - start) / windowMs) * (spent.get(start - windowMs) ?? 0));
          expect(spent.get(start)! + before).toBeLessThanOrEqual(limit);
        }
      }),
      runs,
    );
  });

  test("a bucket never gives what it had not", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.record({ rule: buckets, instances, requests: traffic(5), world: network(0.05) }), async (plan) => {
        const { seen } = await simulate(plan);
        const { limit, refill, windowMs } = plan.rule;
        const firstMs = Math.min(...seen.map(({ atMs }) => atMs));
        const charged = seen.filter(({ outcome }) => outcome === "allowed").sort((a, b) => a.atMs - b.atMs);
        let tokens = limit;
        // Its refills count from the first take that arrived, which may be later than the first that was sent: by a delay at most.
        let refills = 0;
        for (const { atMs, cost } of charged) {
          for (; firstMs + (refills + 1) * windowMs <= atMs; refills++) tokens = Math.min(limit, tokens + refill);
          tokens -= cost;
        }
        const slack = refill * Math.ceil(1 + plan.world.maxDelayMs / windowMs);
        expect(tokens).toBeGreaterThanOrEqual(-slack);
      }),
      runs,
    );
  });

  test("what a window is short of is at most what the instances hold: a lease each", { timeout: 60_000 }, async () => {
    const rule = windows.map((rule) => ({ ...rule, algorithm: "fixed-window" as const }));
    await fc.assert(
      fc.asyncProperty(fc.record({ rule, instances, requests: traffic(1), world: network(0) }), async (plan) => {
        const { seen } = await simulate(plan);
        const { limit, windowMs } = plan.rule;
        const spent = spentByWindow(seen, windowMs);
        for (const { atMs, outcome } of seen) {
          if (outcome !== "refused") continue;
          const start = Math.floor(atMs / windowMs) * windowMs;
          expect(spent.get(start) ?? 0).toBeGreaterThanOrEqual(limit - plan.instances * largestLease(limit));
        }
      }),
      runs,
    );
  });

  test("beside an exact limit it is all or nothing: that one counts what was allowed, and no more", {
    timeout: 60_000,
  }, async () => {
    const exact = { algorithm: "fixed-window", limit: 250, windowMs: 1_000 } as const;
    const rule = windows.map((rule) => ({ ...rule, algorithm: "fixed-window" as const }));
    await fc.assert(
      fc.asyncProperty(fc.record({ rule, instances, requests: traffic(1), world: network(0) }), async (plan) => {
        const { seen, world } = await simulate({ ...plan, exact });
        for (const [start, spent] of spentByWindow(seen, exact.windowMs)) {
          const [count] = world.store.peek([{ key: "exact", rule: exact, cost: 1, enforce: true }], start);
          expect(exact.limit - count!.remaining).toBe(spent);
        }
        for (const spent of spentByWindow(seen, plan.rule.windowMs).values()) expect(spent).toBeLessThanOrEqual(plan.rule.limit);
      }),
      runs,
    );
  });
});

describe("one instance", () => {
  const rule = { algorithm: "fixed-window", limit: 100_000, windowMs: MINUTE_MS } as const;

  function alone(inner: CountingOracle = new CountingOracle("redis")) {
    const asked: string[] = [];
    const counters = new LeasedCounters({
      take(takes, nowMs) {
        asked.push("take");
        return ok(inner.take(takes, nowMs));
      },
      peek: (takes, nowMs) => ok(inner.peek(takes, nowMs)),
      settle(key, rule, delta, nowMs) {
        asked.push(`settle ${delta}`);
        return ok(inner.settle(key, rule, delta, nowMs));
      },
      reset: (key, rule, nowMs) => ok(inner.reset(key, rule, nowMs)),
      renew: () => ok(false),
      release: () => ok(undefined),
    });
    const take = async (nowMs: number, more: Partial<Take> = {}) =>
      (await answered(counters.take([{ key: "k", rule, cost: 1, enforce: true, exact: false, ...more }], nowMs))).counts[0]!;
    const leftInStore = () => inner.peek([{ key: "k", rule, cost: 1, enforce: true }], START_MS)[0]!.remaining;
    return { asked, counters, take, leftInStore };
  }

  test("a caller who came once holds nothing; twice, one unit at most", async () => {
    const { take, leftInStore } = alone();
    await take(START_MS);
    expect(leftInStore()).toBe(99_999);
    await take(START_MS + 1);
    expect(leftInStore()).toBe(99_997);
  });

  test("warm traffic asks for less than one in a hundred; slow traffic asks each time and holds nothing", async () => {
    const warm = alone();
    for (let request = 0; request < 10_000; request++) await warm.take(START_MS + request * 2);
    expect(warm.asked.length).toBeLessThan(100);
    const slow = alone();
    for (let request = 0; request < 50; request++) await slow.take(START_MS + request * 8_000);
    expect(slow.asked).toHaveLength(50);
  });

  test("what is told as left is what the store had at the last trip and what is in hand", async () => {
    const { take, counters } = alone();
    for (let request = 0; request < 500; request++) {
      expect(await take(START_MS + request)).toMatchObject({
        allowed: true,
        remaining: 99_999 - request,
        resetMs: START_MS + MINUTE_MS,
      });
    }
    expect((await answered(counters.peek([{ key: "k", rule, cost: 1, enforce: true }], START_MS)))[0]!.remaining).toBe(99_500);
  });

  test("near the limit leases shrink, and the last unit is given to whoever asks first", async () => {
    const { take } = alone();
    const small = { ...rule, limit: 300 };
    let allowed = 0;
    while ((await take(START_MS + allowed, { rule: small })).allowed) allowed++;
    expect(allowed).toBe(300);
  });

  test("what lies idle is given back on somebody else's request; what its window has outlived is not", async () => {
    const { take, asked, leftInStore } = alone();
    for (let request = 0; request < 100; request++) await take(START_MS + request);
    expect(leftInStore()).toBeLessThan(99_900);
    await take(START_MS + 100 + IDLE_MS, { key: "other" });
    expect(leftInStore()).toBe(99_900);
    for (let request = 0; request < 100; request++) await take(START_MS + 40_000 + request);
    asked.length = 0;
    await take(START_MS + MINUTE_MS + 5_000, { key: "other" });
    expect(asked).toEqual(["take"]);
  });

  test("a reset forgets what is in hand", async () => {
    const { take, counters, leftInStore } = alone();
    for (let request = 0; request < 100; request++) await take(START_MS + request);
    await answered(counters.reset("k", rule, START_MS + 100));
    await take(START_MS + 100);
    expect(leftInStore()).toBe(99_999);
  });

  test("the end gives back all that is in hand", async () => {
    const { take, counters, leftInStore } = alone();
    for (let request = 0; request < 100; request++) await take(START_MS + request);
    await counters.giveBack(START_MS + 100);
    expect(leftInStore()).toBe(99_900);
  });

  test("after the clock was set back it leases in the window that it is in", async () => {
    const { take, asked } = alone();
    for (let request = 0; request < 100; request++) await take(START_MS + 10 * MINUTE_MS + request);
    asked.length = 0;
    for (let request = 0; request < 100; request++) {
      expect((await take(START_MS + request)).resetMs).toBe(START_MS + MINUTE_MS);
    }
    expect(asked.filter((what) => what === "take").length).toBeLessThan(10);
  });

  test("a limit that is exact, places, and looks take nothing ahead", async () => {
    const { take, asked, leftInStore } = alone();
    for (let request = 0; request < 50; request++) await take(START_MS + request, { exact: true });
    expect([asked.length, leftInStore()]).toEqual([50, 99_950]);
    for (let request = 0; request < 50; request++) await take(START_MS + request, { cost: 0 });
    expect([asked.length, leftInStore()]).toEqual([100, 99_950]);
    const places = { algorithm: "concurrency", limit: 9, leaseMs: MINUTE_MS } as const;
    expect((await take(START_MS, { key: "p", rule: places })).lease).toBeDefined();
  });

  test("during an outage it spends what is in hand, and then does not answer", async () => {
    const inner = new CountingOracle("redis");
    let isAway = false;
    const counters = new LeasedCounters({
      ...overTheNetwork({ timeline: new Timeline(), store: inner, chance: () => 0, maxDelayMs: 0, lost: 0, trips: 0, leases: 0 }),
      take: (takes, nowMs) => (isAway ? unavailable("refused") : ok(inner.take(takes, nowMs))),
    });
    const take = async (nowMs: number) =>
      (await counters.take([{ key: "k", rule, cost: 1, enforce: true, exact: false }], nowMs)).state;
    for (let request = 0; request < 100; request++) expect(await take(START_MS + request)).toBe("ok");
    isAway = true;
    const states = await Promise.all(Array.from({ length: 200 }, (_, request) => take(START_MS + 100 + request)));
    const served = states.indexOf("unavailable");
    expect(served).toBeGreaterThan(5);
    expect(states.slice(served).every((state) => state === "unavailable")).toBe(true);
  });
});
