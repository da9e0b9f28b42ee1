/**
 * A map of what may be forgotten, bounded by bytes and by time, without a list by use: it has two generations, and when the young one
 * is full or old enough, it takes the place of the old one. What was asked for since outlives the turn.
 */
import { ownText } from "../own-text.ts";

export interface GenerationBounds {
  /** Of each generation: keys, values and what an entry costs beside them. */
  readonly maxBytes: number;
  /** Nothing is found later than twice this after it was last asked for. */
  readonly maxAgeMs: number;
}

/** What an entry costs beside its text: map slot, object. */
const ENTRY_BYTES = 128;

interface Entry<Value> {
  readonly value: Value;
  readonly bytes: number;
}

export class Generations<Value> {
  readonly #bounds: GenerationBounds;
  #young = new Map<string, Entry<Value>>();
  #old = new Map<string, Entry<Value>>();
  #youngBytes = 0;
  #turnedMs = 0;

  constructor(bounds: GenerationBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string, nowMs: number): Value | undefined {
    this.#age(nowMs);
    const young = this.#young.get(key);
    if (young) return young.value;
    const old = this.#old.get(key);
    if (!old) return undefined;
    this.#old.delete(key);
    this.#put(key, old, nowMs);
    return old.value;
  }

  /** `valueBytes`: what the value keeps alive. An entry that is larger than a generation is not kept. */
  set(key: string, value: Value, valueBytes: number, nowMs: number): void {
    this.#age(nowMs);
    this.delete(key);
    const bytes = ENTRY_BYTES + 2 * key.length + valueBytes;
    if (bytes <= this.#bounds.maxBytes) this.#put(ownText(key), { value, bytes }, nowMs);
  }

  delete(key: string): void {
    this.#youngBytes -= this.#young.get(key)?.bytes ?? 0;
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngBytes = 0;
  }

  #put(key: string, entry: Entry<Value>, nowMs: number): void {
    if (this.#youngBytes + entry.bytes > this.#bounds.maxBytes) this.#turn(nowMs);
    this.#young.set(key, entry);
    this.#youngBytes += entry.bytes;
  }

  /** A clock that was set back says nothing of the time that has passed. */
  #age(nowMs: number): void {
    const ageMs = nowMs - this.#turnedMs;
    if (ageMs >= 0 && ageMs < this.#bounds.maxAgeMs) return;
    if (ageMs >= 2 * this.#bounds.maxAgeMs) this.#young.clear();
    this.#turn(nowMs);
  }

  #turn(nowMs: number): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
    this.#turnedMs = nowMs;
  }
}
