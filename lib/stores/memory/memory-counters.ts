/** Counters of one process, at most `maxIdentifiers` of them, whatever is thrown at it. */

import type { Count, CounterRule, LocalCounters, Take, Taken } from "../../contract/stores/counters.ts";
import { ok, type StoreReply } from "../../contract/stores/reply.ts";
import { boundedKey } from "../bounded-key.ts";
import { ownText } from "../own-text.ts";
import { type CounterState, charge, expiresMs, fits, resetMs, settle, startState, unitsLeft } from "./counter-state.ts";
import { EvictedCounts } from "./evicted-counts.ts";
import { type Expiring, ExpiryHeap } from "./expiry-heap.ts";
import { RecencyList, type Recent } from "./recency-list.ts";

/** Where counts outlive this process: read when a key is new to memory, told of every change. */
export interface CounterBacking {
  load(key: string, rule: CounterRule): CounterState | undefined;
  changed(key: string, rule: CounterRule, state: CounterState | undefined, expiresMs: number): void;
}

interface Cell extends Expiring, Recent<Cell> {
  readonly key: string;
  readonly state: CounterState;
  /** Shared by all for whom there was no room; in no list. */
  readonly isOverflow: boolean;
  /** Of its last change: what its count means when it has to make room. */
  rule: CounterRule;
  /** Its last take was refused until then: to evict it would hand a blocked caller a fresh limit. 0 where it was not. */
  blockedUntilMs: number;
}

const MAX_OVERFLOW_CELLS = 256;

export class MemoryCounters implements LocalCounters {
  readonly #maxIdentifiers: number;
  readonly #backing: CounterBacking | undefined;
  readonly #cells = new Map<string, Cell>();
  /** Those that may be evicted; one that is blocked or has places in use is in no list. */
  readonly #byUse = new RecencyList<Cell>();
  readonly #byExpiry = new ExpiryHeap<Cell>();
  readonly #overflow = new Map<string, Cell>();
  readonly #evicted = new EvictedCounts();

  constructor(options: { readonly maxIdentifiers: number; readonly backing?: CounterBacking }) {
    this.#maxIdentifiers = options.maxIdentifiers;
    this.#backing = options.backing;
  }

  get size(): number {
    return this.#cells.size;
  }

  take(takes: readonly Take[], nowMs: number): StoreReply<Taken> {
    // What most requests ask; the rest of this function says the same of several.
    if (takes.length === 1) return this.#takeOne(takes[0]!, nowMs);
    const cells = this.#cellsOf(takes, nowMs);
    const charges = judge(takes, cells, nowMs);
    const whole = takes.every((take, index) => charges[index] !== undefined || !take.enforce);
    const leases = takes.map((take, index) => {
      const units = charges[index] ?? 0;
      return whole && units > 0 ? this.#charge(take, units, cells[index]!, nowMs) : undefined;
    });
    const counts = takes.map((take, index) => {
      const found = count(take.rule, cells[index]!.state, charges[index], leases[index], nowMs);
      return whole && take.upTo !== undefined && found.allowed ? { ...found, taken: charges[index]! } : found;
    });
    for (const [index, { allowed, resetMs }] of counts.entries()) if (!whole && !allowed) this.#block(cells[index]!, resetMs);
    return ok({ allowed: whole, counts });
  }

  #takeOne(take: Take, nowMs: number): StoreReply<Taken> {
    const { rule, enforce, upTo } = take;
    const cell = this.#cellOf(take.key, rule, nowMs);
    const units = unitsFor(take, unitsLeft(rule, cell.state, nowMs));
    const whole = units !== undefined || !enforce;
    const lease = whole && units ? this.#charge(take, units, cell, nowMs) : undefined;
    const found = count(rule, cell.state, units, lease, nowMs);
    if (!whole) this.#block(cell, found.resetMs);
    return ok({ allowed: whole, counts: [whole && upTo !== undefined && found.allowed ? { ...found, taken: units! } : found] });
  }

  peek(takes: readonly Take[], nowMs: number): StoreReply<readonly Count[]> {
    const cells = this.#cellsOf(takes, nowMs);
    const charges = judge(takes, cells, nowMs);
    return ok(takes.map((take, index) => count(take.rule, cells[index]!.state, charges[index], undefined, nowMs)));
  }

  settle(key: string, rule: CounterRule, delta: number, nowMs: number): StoreReply<void> {
    const cell = this.#cellOf(key, rule, nowMs);
    unitsLeft(rule, cell.state, nowMs);
    settle(rule, cell.state, delta);
    this.#keep(cell, rule, nowMs);
    return ok(undefined);
  }

  renew(key: string, rule: CounterRule, lease: string, nowMs: number): StoreReply<boolean> {
    for (const cell of this.#holders(key, rule)) {
      unitsLeft(rule, cell.state, nowMs);
      if (cell.state.kind !== "leases" || rule.algorithm !== "concurrency" || !cell.state.endsMs.has(lease)) continue;
      cell.state.endsMs.set(lease, nowMs + rule.leaseMs);
      this.#keep(cell, rule, nowMs);
      return ok(true);
    }
    return ok(false);
  }

  release(key: string, rule: CounterRule, lease: string): StoreReply<void> {
    for (const cell of this.#holders(key, rule)) {
      if (cell.state.kind === "leases" && cell.state.endsMs.delete(lease) && cell.state.endsMs.size === 0) this.#drop(cell);
    }
    return ok(undefined);
  }

  reset(key: string, rule: CounterRule): StoreReply<void> {
    const name = cellKey(key, rule);
    const cell = this.#cells.get(name);
    if (cell) this.#drop(cell);
    this.#evicted.forget(name, rule);
    this.#backing?.changed(name, rule, undefined, 0);
    return ok(undefined);
  }

  /** One cell for each take; takes of one key share theirs. */
  #cellsOf(takes: readonly Take[], nowMs: number): Cell[] {
    const cells: Cell[] = [];
    for (const [index, take] of takes.entries()) {
      const same = takes.findIndex((other) => other.key === take.key);
      cells.push(
        same < index && fits(take.rule, cells[same]!.state, nowMs) ? cells[same]! : this.#cellOf(take.key, take.rule, nowMs),
      );
    }
    return cells;
  }

  #charge(take: Take, units: number, cell: Cell, nowMs: number): string | undefined {
    const lease = charge(take.rule, cell.state, units, nowMs);
    this.#keep(cell, take.rule, nowMs);
    return lease;
  }

  /** Where a lease may stand: its key's cell, and what overflow shares. */
  #holders(key: string, rule: CounterRule): Cell[] {
    return [this.#cells.get(cellKey(key, rule)), this.#overflow.get(overflowKey(rule))].filter((cell) => cell !== undefined);
  }

  /** The key's cell, or a fresh one that is not kept before something is charged to it, or the one that overflow shares. */
  #cellOf(key: string, rule: CounterRule, nowMs: number): Cell {
    const name = cellKey(key, rule);
    const known = this.#cells.get(name);
    if (known && fits(rule, known.state, nowMs)) {
      if (known.blockedUntilMs <= nowMs && known.state.kind !== "leases") this.#byUse.use(known);
      return known;
    }
    if (known) this.#drop(known);
    const kept = this.#backing?.load(name, rule) ?? this.#evicted.get(name, rule, nowMs);
    if (!this.#hasRoom(nowMs)) return this.#overflowCell(rule, nowMs);
    const state = kept && fits(rule, kept, nowMs) ? kept : startState(rule, nowMs);
    return newCell(name, rule, state, false);
  }

  #keep(cell: Cell, rule: CounterRule, nowMs: number): void {
    const before = cell.expiresMs;
    cell.expiresMs = expiresMs(rule, cell.state, nowMs);
    cell.rule = rule;
    if (cell.isOverflow) return;
    if (cell.slot < 0) {
      this.#makeRoom(nowMs);
      this.#cells.set(cell.key, cell);
      if (cell.state.kind !== "leases") this.#byUse.use(cell);
    }
    if (cell.slot < 0 || cell.expiresMs !== before) this.#byExpiry.place(cell);
    this.#backing?.changed(cell.key, rule, cell.state, cell.expiresMs);
  }

  #block(cell: Cell, untilMs: number): void {
    cell.blockedUntilMs = untilMs;
    this.#byUse.remove(cell);
  }

  #hasRoom(nowMs: number): boolean {
    return (
      this.size < this.#maxIdentifiers ||
      this.#byUse.oldest !== undefined ||
      (this.#byExpiry.first?.expiresMs ?? Infinity) <= nowMs
    );
  }

  /**
   * Expired first, then the least recently used, whose count is kept in a slot that others share; one that is blocked never, or a
   * flood of names would lift its block.
   */
  #makeRoom(nowMs: number): void {
    while (this.size >= this.#maxIdentifiers) {
      const first = this.#byExpiry.first;
      const victim = first && first.expiresMs <= nowMs ? first : this.#byUse.oldest;
      if (!victim) return;
      this.#drop(victim);
      if (victim.expiresMs > nowMs) this.#evicted.put(victim.key, victim.rule, victim.state, nowMs);
    }
  }

  #drop(cell: Cell): void {
    this.#cells.delete(cell.key);
    this.#byUse.remove(cell);
    this.#byExpiry.remove(cell);
  }

  /** With every place held by a blocked caller, newcomers share one limit per rule: stricter, never unlimited. */
  #overflowCell(rule: CounterRule, nowMs: number): Cell {
    const key = overflowKey(rule);
    const known = this.#overflow.get(key);
    if (known) return known;
    if (this.#overflow.size >= MAX_OVERFLOW_CELLS) this.#overflow.delete(this.#overflow.keys().next().value!);
    const cell = newCell(key, rule, startState(rule, nowMs), true);
    this.#overflow.set(key, cell);
    return cell;
  }
}

const OVERFLOW = "\noverflow ";

function newCell(key: string, rule: CounterRule, state: CounterState, isOverflow: boolean): Cell {
  return {
    key: ownText(key),
    rule,
    state,
    isOverflow,
    expiresMs: 0,
    slot: -1,
    older: undefined,
    newer: undefined,
    blockedUntilMs: 0,
  };
}

function overflowKey(rule: CounterRule): string {
  return OVERFLOW + JSON.stringify(rule);
}

/** Each period has a cell of its own, so that a late request of the last one does not end the new one. */
function cellKey(key: string, rule: CounterRule): string {
  return rule.algorithm === "period" ? `${boundedKey(key)}\n${rule.startMs}` : boundedKey(key);
}

/**
 * What each take would charge, or undefined where it alone is refused, counting what earlier takes of the call will have charged
 * to the same cell.
 */
function judge(takes: readonly Take[], cells: readonly Cell[], nowMs: number): (number | undefined)[] {
  const charges: (number | undefined)[] = [];
  for (const [index, take] of takes.entries()) {
    let left = unitsLeft(take.rule, cells[index]!.state, nowMs);
    for (let other = 0; other < index; other++) if (cells[other] === cells[index]) left -= charges[other] ?? 0;
    charges.push(unitsFor(take, left));
  }
  return charges;
}

/** What it charges where so much is left; undefined where it is refused. */
function unitsFor({ rule, cost, upTo }: Take, left: number): number | undefined {
  const units = rule.algorithm === "concurrency" ? Math.min(1, cost) : cost;
  if (left < Math.max(1, units)) return undefined;
  return upTo === undefined ? units : Math.max(units, Math.min(upTo, Math.floor(left / 8)));
}

function count(
  rule: CounterRule,
  state: CounterState,
  charged: number | undefined,
  lease: string | undefined,
  nowMs: number,
): Count {
  const left = Math.max(0, unitsLeft(rule, state, nowMs));
  const found = { allowed: charged !== undefined, remaining: left, resetMs: resetMs(rule, state, nowMs) };
  return lease === undefined ? found : { ...found, lease };
}
