/**
 * Counting for limits and quotas. Keys are opaque text that the caller has made unique (policy, name and identifier); an
 * implementation adds its own prefix. Times are epoch milliseconds of the caller's clock, passed in so that tests own time.
 */
import type { Pending, StoreReply } from "./reply.ts";

export type CounterRule =
  /** Windows aligned to the epoch: at most `limit` in each. */
  | { readonly algorithm: "fixed-window"; readonly limit: number; readonly windowMs: number }
  /** The previous window's count, weighted by how much of it the sliding window still covers, plus the current one's. */
  | { readonly algorithm: "sliding-window"; readonly limit: number; readonly windowMs: number }
  /** `limit` tokens at most; `refill` tokens arrive whole every `windowMs`, counted from the bucket's first use. */
  | { readonly algorithm: "token-bucket"; readonly limit: number; readonly refill: number; readonly windowMs: number }
  /** At most `limit` leases at once; each ends by `release`, or `leaseMs` after it was taken or renewed. */
  | { readonly algorithm: "concurrency"; readonly limit: number; readonly leaseMs: number }
  /** One count from `startMs` to `endMs` (a calendar day or month, a billing period). */
  | { readonly algorithm: "period"; readonly limit: number; readonly startMs: number; readonly endMs: number };

export interface Take {
  readonly key: string;
  readonly rule: CounterRule;
  /** Units to take. 0 only looks, and is allowed while at least one unit is left. A lease is one place whatever its cost. */
  readonly cost: number;
  /**
   * False for a limit in shadow mode: it is reported, and charged where it would have been allowed (so that its numbers are
   * those of a limit that is enforced), but does not refuse the whole.
   */
  readonly enforce: boolean;
  /**
   * False permits an instance to take units ahead and to spend them without asking (leased-counters.ts): nearly no trips, and
   * a count that is off by what instances hold. Of windows, buckets and periods; absent means exact.
   */
  readonly exact?: boolean | undefined;
  /**
   * Takes more than `cost` where there is more: up to this many units, at most an eighth of what is left. For leases; policies
   * say `exact: false` instead.
   */
  readonly upTo?: number | undefined;
  /** What holds while the store is away; nothing but a refusal where it is not said. */
  readonly onUnavailable?: OnUnavailable | undefined;
}

export type OnUnavailable = "local" | "allow" | "deny";

export interface Count {
  /** Whether this rule alone allowed its cost. */
  readonly allowed: boolean;
  /** Whole units left after this take; never negative. */
  readonly remaining: number;
  /** When more becomes available: the end of the window, the next refill, the first lease to expire. */
  readonly resetMs: number;
  /** For a lease that was taken: hand it to `renew` and `release`. */
  readonly lease?: string;
  /** What was charged, where the take said `upTo`. */
  readonly taken?: number;
  /**
   * Another take of the call is known to be refused, so the store was not asked about this one: it was not refused, and its
   * other numbers are the rule's own. Not for showing.
   */
  readonly unasked?: true;
  /** The store was away: counted by this instance alone, not counted at all, or refused for that reason. */
  readonly degraded?: OnUnavailable;
}

export interface Taken {
  /** Whether every enforced take was allowed. When false, no take of the call was charged. */
  readonly allowed: boolean;
  /** One for each take, in order. */
  readonly counts: readonly Count[];
}

export interface Counters {
  /** All or nothing over the enforced takes. */
  take(takes: readonly Take[], nowMs: number): Pending<Taken>;
  /** What stands, without taking; `allowed` says whether the cost would be. */
  peek(takes: readonly Take[], nowMs: number): Pending<readonly Count[]>;
  /** Corrects an earlier take by `delta` units (negative gives back); it may go over the limit, since the work is done. */
  settle(key: string, rule: CounterRule, delta: number, nowMs: number): Pending<void>;
  /** Extends a lease; false where it had expired. */
  renew(key: string, rule: CounterRule, lease: string, nowMs: number): Pending<boolean>;
  release(key: string, rule: CounterRule, lease: string): Pending<void>;
  /** Forgets what a key has counted under this rule. */
  reset(key: string, rule: CounterRule, nowMs: number): Pending<void>;
}

/** Counters of this process's memory: they answer at once. */
export interface LocalCounters extends Counters {
  take(takes: readonly Take[], nowMs: number): StoreReply<Taken>;
  peek(takes: readonly Take[], nowMs: number): StoreReply<readonly Count[]>;
  settle(key: string, rule: CounterRule, delta: number, nowMs: number): StoreReply<void>;
  renew(key: string, rule: CounterRule, lease: string, nowMs: number): StoreReply<boolean>;
  release(key: string, rule: CounterRule, lease: string): StoreReply<void>;
  reset(key: string, rule: CounterRule, nowMs: number): StoreReply<void>;
}

/** One instance's share of a limit, for `Stores.local`: at least one unit, so that no caller is shut out for the whole outage. */
export function shareOf(rule: CounterRule, share: number): CounterRule {
  const part = (units: number) => Math.min(units, Math.max(1, Math.floor(units * share)));
  if (rule.algorithm !== "token-bucket") return { ...rule, limit: part(rule.limit) };
  return { ...rule, limit: part(rule.limit), refill: part(rule.refill) };
}
