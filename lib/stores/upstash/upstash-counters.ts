/** Counters in Redis: a plain take by @upstash/ratelimit, everything else by one script of ours over the same keys. */
import { randomUUID } from "node:crypto";
import { Ratelimit } from "@upstash/ratelimit";
import type { Count, CounterRule, Counters, Take, Taken } from "../../contract/stores/counters.ts";
import { ok, type Pending, type StoreReply } from "../../contract/stores/reply.ts";
import { boundedKey } from "../bounded-key.ts";
import { renewScript, settleScript, takeScript } from "./counter-scripts.ts";
import { Refusals, stands } from "./refusals.ts";
import { reply, type Trips } from "./trips.ts";

type Plain = Extract<CounterRule, { algorithm: "sliding-window" | "token-bucket" }>;

/** Rules come from the config, so they are few; a limit all the same, since tiers may be many. */
const MAX_LIMITERS = 1000;

export class UpstashCounters implements Counters {
  readonly #trips: Trips;
  readonly #prefix: string;
  readonly #limiters = new Map<string, Ratelimit>();
  readonly #refusals = new Refusals();

  constructor(trips: Trips, prefix: string) {
    this.#trips = trips;
    this.#prefix = prefix;
  }

  take(takes: readonly Take[], nowMs: number): Pending<Taken> {
    const refused = takes.map((take) => this.#standing(take, nowMs));
    if (refused.some((count) => count !== undefined))
      return ok({ allowed: false, counts: takes.map(answerWith(refused, nowMs)) });
    const [only] = takes;
    if (!only || takes.length > 1 || only.cost !== 1 || only.upTo !== undefined || !isPlain(only.rule))
      return reply(this.#run("take", takes, nowMs));
    const [name] = this.#keys(only.key, only.rule, nowMs);
    // The library does not say until when a sliding window refuses. Our script does, and what was refused once is asked by it.
    if (this.#refusals.get(name, nowMs)) return reply(this.#run("take", takes, nowMs));
    return reply(this.#takePlain(name, only, only.rule, nowMs));
  }

  async peek(takes: readonly Take[], nowMs: number): Promise<StoreReply<readonly Count[]>> {
    return reply(this.#run("peek", takes, nowMs).then((taken) => taken.counts));
  }

  settle(key: string, rule: CounterRule, delta: number, nowMs: number): Pending<void> {
    if (rule.algorithm === "concurrency") return ok(undefined);
    const [name] = this.#keys(key, rule, nowMs);
    if (delta < 0) this.#refusals.forget(name);
    const { limit, span, refill, ttl } = numbers(rule, nowMs);
    const args = [nowMs, rule.algorithm, delta, limit, span, refill, ttl];
    return reply(this.#trips.run(settleScript, [name], args).then(() => {}));
  }

  renew(key: string, rule: CounterRule, lease: string, nowMs: number): Promise<StoreReply<boolean>> {
    const args = [nowMs, lease, numbers(rule, nowMs).span];
    const run = this.#trips.run<number>(renewScript, [this.#keys(key, rule, nowMs)[0]], args);
    return reply(run.then((renewed) => renewed === 1));
  }

  release(key: string, rule: CounterRule, lease: string): Promise<StoreReply<void>> {
    const [name] = this.#keys(key, rule, 0);
    return reply(this.#trips.send((pipeline) => pipeline.zrem(name, lease)).then(() => {}));
  }

  reset(key: string, rule: CounterRule, nowMs: number): Promise<StoreReply<void>> {
    const names = this.#keys(key, rule, nowMs);
    this.#refusals.forget(names[0]);
    return reply(this.#trips.send((pipeline) => pipeline.del(...names)).then(() => {}));
  }

  /**
   * Its clock is the process's own, which is also where `nowMs` comes from. Fixed windows don't go this way: its script counts
   * refused takes too, so that giving units back later would free nothing.
   */
  async #takePlain(name: string, take: Take, rule: Plain, nowMs: number): Promise<Taken> {
    const { success, remaining, reset } = await this.#limiter(rule).limit(boundedKey(take.key));
    const count = { allowed: success, remaining, resetMs: reset };
    if (!success && take.enforce) {
      this.#refusals.remember(name, take, count, rule.algorithm === "token-bucket" ? reset : nowMs, nowMs);
    }
    return { allowed: success || !take.enforce, counts: [count] };
  }

  /** A refusal that still stands. One in shadow mode refuses nothing, so that it is asked each time. */
  #standing(take: Take, nowMs: number): Count | undefined {
    if (!take.enforce || take.rule.algorithm === "concurrency") return undefined;
    const refusal = this.#refusals.get(this.#keys(take.key, take.rule, nowMs)[0], nowMs);
    return refusal && stands(refusal, take, nowMs) ? refusal.count : undefined;
  }

  #limiter(rule: Plain): Ratelimit {
    const name = JSON.stringify(rule);
    const known = this.#limiters.get(name);
    if (known) return known;
    if (this.#limiters.size >= MAX_LIMITERS) this.#limiters.clear();
    const { limit, windowMs } = rule;
    const limiter = new Ratelimit({
      redis: this.#trips,
      prefix: `${this.#prefix}${TAGS[rule.algorithm]}`,
      limiter:
        rule.algorithm === "sliding-window"
          ? Ratelimit.slidingWindow(limit, `${windowMs} ms`)
          : Ratelimit.tokenBucket(rule.refill, `${windowMs} ms`, limit),
      // Off: it would report a time-out as success. The trip's own budget ends in an error, and so in `unavailable`.
      timeout: 0,
      // Off: it keeps blocking a caller whose limit was reset or given back, and has no bound.
      ephemeralCache: false,
      analytics: false,
      enableTelemetry: false,
    });
    this.#limiters.set(name, limiter);
    return limiter;
  }

  async #run(mode: "take" | "peek", takes: readonly Take[], nowMs: number): Promise<Taken> {
    const leases = takes.map(({ rule, cost }) => (rule.algorithm === "concurrency" && cost > 0 ? randomUUID() : ""));
    const args = takes.flatMap(({ rule, cost, enforce, upTo = 0 }, index) => {
      const { limit, span, refill, ttl } = numbers(rule, nowMs);
      const units = rule.algorithm === "concurrency" ? Math.min(1, cost) : cost;
      return [rule.algorithm, units, enforce ? 1 : 0, limit, span, refill, ttl, leases[index]!, upTo];
    });
    const keys = takes.flatMap(({ key, rule }) => this.#keys(key, rule, nowMs));
    const [whole, ...found] = await this.#trips.run<number[]>(takeScript, keys, [nowMs, mode, ...args]);
    const counts = takes.map((take, index): Count => {
      const { rule, upTo } = take;
      const [charge, remaining, atMs] = found.slice(index * 3, index * 3 + 3) as [number, number, number];
      const allowed = charge >= 0;
      const count = { allowed, remaining, resetMs: isPlaced(rule) ? windowEndMs(rule, nowMs) : atMs };
      if (mode === "peek") return count;
      // A place in use may be given back at any time; a take that failed beside others of its key might pass alone.
      if (!allowed && take.enforce && rule.algorithm !== "concurrency" && remaining < Math.max(1, take.cost)) {
        this.#refusals.remember(keys[2 * index]!, take, count, atMs || count.resetMs, nowMs);
      }
      if (whole !== 1 || !allowed) return count;
      if (leases[index] !== "") return { ...count, lease: leases[index]! };
      return upTo === undefined ? count : { ...count, taken: charge };
    });
    return { allowed: whole === 1, counts };
  }

  /** The key that counts now and, for a sliding window, the previous one; the layout is that of @upstash/ratelimit. */
  #keys(key: string, rule: CounterRule, nowMs: number): [string, string] {
    const base = `${this.#prefix}${TAGS[rule.algorithm]}:${boundedKey(key)}`;
    if (rule.algorithm === "token-bucket" || rule.algorithm === "concurrency") return [base, base];
    if (rule.algorithm === "period") return [`${base}:${rule.startMs}`, `${base}:${rule.startMs}`];
    const window = Math.floor(nowMs / rule.windowMs);
    return [`${base}:${window}`, `${base}:${rule.algorithm === "sliding-window" ? window - 1 : window}`];
  }
}

/** What is known of a call that is refused without asking: of the takes that did not refuse it, only their rules. */
function answerWith(refused: readonly (Count | undefined)[], nowMs: number): (take: Take, index: number) => Count {
  return ({ rule }, index) =>
    refused[index] ?? {
      allowed: true,
      remaining: rule.limit,
      resetMs: isPlaced(rule) ? windowEndMs(rule, nowMs) : nowMs,
      unasked: true,
    };
}

/** How long a fixed window's count outlives it. */
const LATE_MS = 10_000;

const TAGS: Record<CounterRule["algorithm"], string> = {
  "fixed-window": "fw",
  "sliding-window": "sw",
  "token-bucket": "tb",
  concurrency: "cc",
  period: "pd",
};

function isPlain(rule: CounterRule): rule is Plain {
  return rule.algorithm === "sliding-window" || rule.algorithm === "token-bucket";
}

/** Whether its end is known without asking. */
function isPlaced(rule: CounterRule): boolean {
  return rule.algorithm !== "token-bucket" && rule.algorithm !== "concurrency";
}

function numbers(rule: CounterRule, nowMs: number): { limit: number; span: number; refill: number; ttl: number } {
  const { limit } = rule;
  switch (rule.algorithm) {
    case "concurrency":
      return { limit, span: rule.leaseMs, refill: 0, ttl: rule.leaseMs };
    case "period":
      // A minute longer, for a settlement that arrives late.
      return { limit, span: rule.endMs - rule.startMs, refill: 0, ttl: Math.max(0, rule.endMs - nowMs) + 60_000 };
    case "token-bucket":
      return { limit, span: rule.windowMs, refill: rule.refill, ttl: 0 };
    case "fixed-window":
      // A take of its last moment arrives when it is over, from an instance whose clock is behind later still: it must find the count.
      return { limit, span: rule.windowMs, refill: 0, ttl: rule.windowMs + LATE_MS };
    case "sliding-window":
      return { limit, span: rule.windowMs, refill: 0, ttl: rule.windowMs * 2 + 1000 };
  }
}

/** Only windows and periods: the others' resets come from the script. */
function windowEndMs(rule: CounterRule, nowMs: number): number {
  if (rule.algorithm === "period") return rule.endMs;
  const { span } = numbers(rule, nowMs);
  return (Math.floor(nowMs / span) + 1) * span;
}
