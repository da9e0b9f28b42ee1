/**
 * What counting means, written down as plainly as possible and never fast: sums over all that was ever charged. The stores are
 * compared with it, not with each other.
 */
import type { Count, CounterRule, Take, Taken } from "#lib/contract/stores/counters.ts";

type Windowed = Extract<CounterRule, { algorithm: "fixed-window" | "sliding-window" }>;
type Bucket = Extract<CounterRule, { algorithm: "token-bucket" }>;

interface Charged {
  /** Units by the start of the window or period that they were charged to. */
  readonly byStart: Map<number, number>;
  bucket: { atMs: number; tokens: number } | undefined;
  leases: { readonly token: string; readonly endMs: number }[];
  /** The latest window that was looked at. */
  newestMs: number;
}

export class CountingOracle {
  /**
   * Clocks go back. In Redis a count lies under the window of its own time. In a process a key's state moves with each look and
   * never back, unless the clock is more than a window behind it: then it was set back, and the key starts anew.
   */
  readonly #inProcess: boolean;
  readonly #keys = new Map<string, Charged>();
  #leases = 0;

  constructor(where: "redis" | "process") {
    this.#inProcess = where === "process";
  }

  /** What stands now, to be put back where a store was not asked: then nothing of it has moved with the clock either. */
  save(): () => void {
    const kept = structuredClone(this.#keys);
    return () => {
      this.#keys.clear();
      for (const [key, charged] of kept) this.#keys.set(key, charged);
    };
  }

  take(takes: readonly Take[], nowMs: number): Taken {
    const charges = this.#judge(takes, nowMs);
    const allowed = takes.every(({ enforce }, index) => charges[index] !== undefined || !enforce);
    const leases = takes.map(({ key, rule }, index) =>
      allowed && (charges[index] ?? 0) > 0 ? this.#charge(key, rule, charges[index]!, nowMs) : undefined,
    );
    const counts = takes.map(({ key, rule, upTo }, index): Count => {
      const count = this.#count(key, rule, charges[index] !== undefined, nowMs);
      if (leases[index] !== undefined) return { ...count, lease: leases[index] };
      return upTo !== undefined && allowed && count.allowed ? { ...count, taken: charges[index]! } : count;
    });
    return { allowed, counts };
  }

  peek(takes: readonly Take[], nowMs: number): Count[] {
    const charges = this.#judge(takes, nowMs);
    return takes.map(({ key, rule }, index) => this.#count(key, rule, charges[index] !== undefined, nowMs));
  }

  settle(key: string, rule: CounterRule, delta: number, nowMs: number): void {
    if (rule.algorithm === "concurrency") return void (this.#inProcess && this.#left(key, rule, nowMs));
    if (rule.algorithm === "token-bucket") {
      const { atMs, tokens } = this.#bucket(key, rule, nowMs);
      this.#known(key).bucket = { atMs, tokens: Math.min(rule.limit, tokens - delta) };
      return;
    }
    const start = this.#start(key, rule, nowMs);
    const charged = this.#known(key);
    charged.byStart.set(start, Math.max(0, (charged.byStart.get(start) ?? 0) + delta));
    charged.newestMs = Math.max(charged.newestMs, start);
  }

  renew(key: string, rule: CounterRule, lease: string, nowMs: number): boolean {
    if (this.#inProcess) this.#left(key, rule, nowMs);
    const { leases } = this.#known(key);
    const index = leases.findIndex(({ token, endMs }) => token === lease && endMs > nowMs);
    if (index < 0 || rule.algorithm !== "concurrency") return false;
    leases[index] = { token: lease, endMs: nowMs + rule.leaseMs };
    return true;
  }

  release(key: string, lease: string): void {
    const charged = this.#known(key);
    charged.leases = charged.leases.filter(({ token }) => token !== lease);
  }

  /** In a process a key has one state; in Redis the current and the last window go. */
  reset(key: string, rule: CounterRule, nowMs: number): void {
    const charged = this.#known(key);
    if (this.#inProcess || rule.algorithm === "token-bucket" || rule.algorithm === "concurrency") this.#keys.delete(key);
    else if (rule.algorithm === "period") charged.byStart.delete(rule.startMs);
    else {
      const start = Math.floor(nowMs / rule.windowMs) * rule.windowMs;
      charged.byStart.delete(start);
      if (rule.algorithm === "sliding-window") charged.byStart.delete(start - rule.windowMs);
    }
  }

  #judge(takes: readonly Take[], nowMs: number): (number | undefined)[] {
    const charges: (number | undefined)[] = [];
    for (const { key, rule, cost, upTo = 0 } of takes) {
      let left = this.#left(key, rule, nowMs);
      for (const [other, charge] of charges.entries()) if (takes[other]!.key === key) left -= charge ?? 0;
      const units = rule.algorithm === "concurrency" ? Math.min(1, cost) : cost;
      charges.push(left >= Math.max(1, units) ? Math.max(units, Math.min(upTo, Math.floor(left / 8))) : undefined);
    }
    return charges;
  }

  #charge(key: string, rule: CounterRule, units: number, nowMs: number): string | undefined {
    if (rule.algorithm !== "concurrency") return void this.settle(key, rule, units, nowMs);
    const token = String(++this.#leases);
    this.#known(key).leases.push({ token, endMs: nowMs + rule.leaseMs });
    return token;
  }

  #count(key: string, rule: CounterRule, allowed: boolean, nowMs: number): Count {
    return { allowed, remaining: Math.max(0, this.#left(key, rule, nowMs)), resetMs: this.#resetMs(key, rule, nowMs) };
  }

  #left(key: string, rule: CounterRule, nowMs: number): number {
    const charged = this.#keys.get(key);
    if (rule.algorithm === "token-bucket") return this.#bucket(key, rule, nowMs).tokens;
    if (rule.algorithm === "concurrency") {
      if (charged) charged.leases = charged.leases.filter(({ endMs }) => endMs > nowMs);
      return rule.limit - (charged?.leases.length ?? 0);
    }
    const start = this.#start(key, rule, nowMs);
    const at = (startMs: number) => this.#keys.get(key)?.byStart.get(startMs) ?? 0;
    if (rule.algorithm !== "sliding-window") return rule.limit - at(start);
    const passed = (Math.max(nowMs, start) - start) / rule.windowMs;
    return rule.limit - at(start) - Math.floor((1 - passed) * at(start - rule.windowMs));
  }

  #resetMs(key: string, rule: CounterRule, nowMs: number): number {
    if (rule.algorithm === "period") return rule.endMs;
    if (rule.algorithm === "token-bucket") return this.#bucket(key, rule, nowMs).atMs + rule.windowMs;
    if (rule.algorithm !== "concurrency") return this.#start(key, rule, nowMs) + rule.windowMs;
    const ends = this.#keys.get(key)?.leases.map(({ endMs }) => endMs) ?? [];
    return ends.length === 0 ? nowMs : Math.min(...ends);
  }

  /** The start of the window that a time counts in. */
  #start(key: string, rule: Windowed | Extract<CounterRule, { algorithm: "period" }>, nowMs: number): number {
    if (rule.algorithm === "period") return rule.startMs;
    const start = Math.floor(nowMs / rule.windowMs) * rule.windowMs;
    const charged = this.#keys.get(key);
    if (!this.#inProcess || !charged) return start;
    if (start < charged.newestMs - rule.windowMs) {
      this.#keys.delete(key);
      return start;
    }
    charged.newestMs = Math.max(charged.newestMs, start);
    return charged.newestMs;
  }

  /** Refills that have come, one by one. */
  #bucket(key: string, rule: Bucket, nowMs: number): { atMs: number; tokens: number } {
    const charged = this.#keys.get(key);
    const bucket = { ...(charged?.bucket ?? { atMs: nowMs, tokens: rule.limit }) };
    while (bucket.atMs + rule.windowMs <= nowMs) {
      bucket.atMs += rule.windowMs;
      bucket.tokens = Math.min(rule.limit, bucket.tokens + rule.refill);
    }
    if (this.#inProcess && charged?.bucket) charged.bucket = bucket;
    return bucket;
  }

  #known(key: string): Charged {
    const known = this.#keys.get(key) ?? {
      byStart: new Map(),
      bucket: undefined,
      leases: [],
      newestMs: Number.NEGATIVE_INFINITY,
    };
    this.#keys.set(key, known);
    return known;
  }
}
