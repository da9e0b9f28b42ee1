/**
 * The arithmetic of the five counting algorithms over one key's state. Windows and buckets count exactly as the scripts of
 * @upstash/ratelimit 2.2 do, so that a limit means the same in memory and in Redis.
 */
import { randomUUID } from "node:crypto";
import type { CounterRule } from "../../contract/stores/counters.ts";

export type CounterState =
  /** Fixed and sliding windows and periods. `before` is the count of the window before this one. */
  | { readonly kind: "window"; readonly lengthMs: number; startMs: number; count: number; before: number }
  | { readonly kind: "bucket"; refilledAtMs: number; tokens: number }
  | { readonly kind: "leases"; readonly endsMs: Map<string, number> };

export function startState(rule: CounterRule, nowMs: number): CounterState {
  switch (rule.algorithm) {
    case "token-bucket":
      return { kind: "bucket", refilledAtMs: nowMs, tokens: rule.limit };
    case "concurrency":
      return { kind: "leases", endsMs: new Map() };
    default:
      return { kind: "window", lengthMs: lengthMs(rule), startMs: startMs(rule, nowMs), count: 0, before: 0 };
  }
}

/**
 * Whether a state found under a key was made by a rule of this shape; a changed config starts afresh. So does a clock that is more
 * than a window behind: it had been set forward, and would keep its callers blocked until it is that late again.
 */
export function fits(rule: CounterRule, state: CounterState, nowMs: number): boolean {
  if (rule.algorithm === "token-bucket") return state.kind === "bucket";
  if (rule.algorithm === "concurrency") return state.kind === "leases";
  if (state.kind !== "window" || state.lengthMs !== lengthMs(rule)) return false;
  return rule.algorithm === "period" || startMs(rule, nowMs) >= state.startMs - state.lengthMs;
}

/** Brings the state to `nowMs`, then says how many units are left; negative where a settlement went over the limit. */
export function unitsLeft(rule: CounterRule, state: CounterState, nowMs: number): number {
  advance(rule, state, nowMs);
  if (state.kind === "bucket") return state.tokens;
  if (state.kind === "leases") return rule.limit - state.endsMs.size;
  if (rule.algorithm !== "sliding-window") return rule.limit - state.count;
  const passed = (Math.max(nowMs, state.startMs) % state.lengthMs) / state.lengthMs;
  return rule.limit - (Math.floor((1 - passed) * state.before) + state.count);
}

export function resetMs(rule: CounterRule, state: CounterState, nowMs: number): number {
  if (state.kind === "leases") return firstEndMs(state.endsMs, nowMs);
  if (state.kind === "window") return rule.algorithm === "period" ? rule.endMs : state.startMs + state.lengthMs;
  return state.refilledAtMs + (rule.algorithm === "token-bucket" ? rule.windowMs : 0);
}

/** Charges units that were found to be left; for a lease (one place, whatever the cost), its token. */
export function charge(rule: CounterRule, state: CounterState, units: number, nowMs: number): string | undefined {
  if (rule.algorithm === "concurrency" && state.kind === "leases") {
    const lease = randomUUID();
    state.endsMs.set(lease, nowMs + rule.leaseMs);
    return lease;
  }
  settle(rule, state, units);
  return undefined;
}

/** Charges or gives back whatever the limit; a window's count never falls below 0, a bucket never holds more than its limit. */
export function settle(rule: CounterRule, state: CounterState, units: number): void {
  if (state.kind === "window") state.count = Math.max(0, state.count + units);
  if (state.kind === "bucket") state.tokens = Math.min(rule.limit, state.tokens - units);
}

/** From when on the state says no more than a new one would. */
export function expiresMs(rule: CounterRule, state: CounterState, nowMs: number): number {
  if (state.kind === "leases") return lastEndMs(state.endsMs, nowMs);
  if (state.kind === "window") return resetMs(rule, state, nowMs) + (rule.algorithm === "sliding-window" ? state.lengthMs : 0);
  if (rule.algorithm !== "token-bucket") return nowMs;
  return state.refilledAtMs + Math.ceil((rule.limit - state.tokens) / rule.refill) * rule.windowMs;
}

/** Makes `state` as strict as both, which have been brought to one time. Leases are places in use, of nobody else's. */
export function merge(state: CounterState, other: CounterState): void {
  if (state.kind === "window" && other.kind === "window") {
    state.count = Math.max(state.count, other.count);
    state.before = Math.max(state.before, other.before);
  }
  if (state.kind === "bucket" && other.kind === "bucket") {
    state.tokens = Math.min(state.tokens, other.tokens);
    state.refilledAtMs = Math.max(state.refilledAtMs, other.refilledAtMs);
  }
}

function advance(rule: CounterRule, state: CounterState, nowMs: number): void {
  if (state.kind === "window") {
    const start = startMs(rule, nowMs);
    // A request that was slow on its way may bring an older time: the window never goes back.
    if (start <= state.startMs) return;
    state.before = start === state.startMs + state.lengthMs ? state.count : 0;
    state.count = 0;
    state.startMs = start;
  } else if (state.kind === "leases") {
    for (const [lease, endMs] of state.endsMs) if (endMs <= nowMs) state.endsMs.delete(lease);
  } else if (rule.algorithm === "token-bucket" && nowMs >= state.refilledAtMs + rule.windowMs) {
    const refills = Math.floor((nowMs - state.refilledAtMs) / rule.windowMs);
    state.tokens = Math.min(rule.limit, state.tokens + refills * rule.refill);
    state.refilledAtMs += refills * rule.windowMs;
  }
  // A limit that a new config lowered holds at once.
  if (state.kind === "bucket") state.tokens = Math.min(rule.limit, state.tokens);
}

function lengthMs(rule: CounterRule): number {
  if (rule.algorithm === "period") return rule.endMs - rule.startMs;
  return rule.algorithm === "concurrency" ? rule.leaseMs : rule.windowMs;
}

function startMs(rule: CounterRule, nowMs: number): number {
  return rule.algorithm === "period" ? rule.startMs : Math.floor(nowMs / lengthMs(rule)) * lengthMs(rule);
}

function firstEndMs(endsMs: ReadonlyMap<string, number>, nowMs: number): number {
  let first = Number.POSITIVE_INFINITY;
  for (const endMs of endsMs.values()) first = Math.min(first, endMs);
  return endsMs.size === 0 ? nowMs : first;
}

function lastEndMs(endsMs: ReadonlyMap<string, number>, nowMs: number): number {
  let last = nowMs;
  for (const endMs of endsMs.values()) last = Math.max(last, endMs);
  return last;
}
