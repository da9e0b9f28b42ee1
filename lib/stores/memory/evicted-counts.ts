/**
 * What callers had counted when their place was needed for others. Each limit has so many slots, a caller's is told by its hash, and
 * a slot keeps the strictest count of all who were put there. Who comes anew starts from their slot: a flood of names then resets
 * nobody's count; it makes those who come during it share theirs.
 */
import { randomInt } from "node:crypto";
import type { CounterRule } from "../../contract/stores/counters.ts";
import { type CounterState, expiresMs, fits, merge, unitsLeft } from "./counter-state.ts";
import { type Expiring, ExpiryHeap } from "./expiry-heap.ts";

interface Slot extends Expiring {
  readonly name: string;
  readonly state: CounterState;
}

const SLOTS_PER_RULE = 16_384;
/** In all, some 24 MB; past it the one goes that would expire first. */
const MAX_SLOTS = 65_536;

export class EvictedCounts {
  readonly #slots = new Map<string, Slot>();
  readonly #byExpiry = new ExpiryHeap<Slot>();
  readonly #ruleNames = new WeakMap<CounterRule, string>();
  /** Nobody outside knows it, so that nobody can find a name that falls into another caller's slot. */
  readonly #seed = randomInt(2 ** 32);

  get size(): number {
    return this.#slots.size;
  }

  put(key: string, rule: CounterRule, state: CounterState, nowMs: number): void {
    for (let first = this.#byExpiry.first; first && first.expiresMs <= nowMs; first = this.#byExpiry.first) this.#drop(first);
    // Brings it to now: what has come back meanwhile need not be kept.
    unitsLeft(rule, state, nowMs);
    const ends = expiresMs(rule, state, nowMs);
    if (ends <= nowMs) return;
    const name = this.#nameOf(key, rule);
    const known = this.#slots.get(name);
    if (known && fits(rule, known.state, nowMs)) {
      unitsLeft(rule, known.state, nowMs);
      merge(known.state, state);
      known.expiresMs = Math.max(known.expiresMs, ends);
      this.#byExpiry.place(known);
      return;
    }
    if (known) this.#drop(known);
    else if (this.#slots.size >= MAX_SLOTS) this.#drop(this.#byExpiry.first!);
    const slot = { name, state, expiresMs: ends, slot: -1 };
    this.#slots.set(name, slot);
    this.#byExpiry.place(slot);
  }

  /** A count to start from, the caller's own to change. */
  get(key: string, rule: CounterRule, nowMs: number): CounterState | undefined {
    if (this.#slots.size === 0) return undefined;
    const slot = this.#slots.get(this.#nameOf(key, rule));
    return slot && slot.expiresMs > nowMs && fits(rule, slot.state, nowMs) ? { ...slot.state } : undefined;
  }

  /** An operator resets a caller: the others of its slot start anew as well. */
  forget(key: string, rule: CounterRule): void {
    const slot = this.#slots.get(this.#nameOf(key, rule));
    if (slot) this.#drop(slot);
  }

  #drop(slot: Slot): void {
    this.#slots.delete(slot.name);
    this.#byExpiry.remove(slot);
  }

  #nameOf(key: string, rule: CounterRule): string {
    // FNV-1a: short, and good enough once it is seeded.
    let hash = this.#seed;
    for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
    hash ^= hash >>> 15;
    let ruleName = this.#ruleNames.get(rule);
    if (ruleName === undefined) {
      ruleName = JSON.stringify(rule);
      this.#ruleNames.set(rule, ruleName);
    }
    return `${ruleName}${(hash >>> 0) % SLOTS_PER_RULE}`;
  }
}
