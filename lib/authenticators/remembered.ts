/** What was verified, by digest, so that the next request with the same costs neither a signature nor a question. */
import { digestOf } from "./digest.ts";

/** In each of two generations: what was asked for since the last turn outlives it, so that memory stays bounded without a list by age. */
const MAX_TOKENS = 5_000;
const MAX_AGE_MS = 5 * 60_000;

interface Entry<Value> {
  readonly value: Value;
  readonly untilMs: number;
}

interface Last<Value> {
  readonly token: string;
  readonly entry: Entry<Value> | undefined;
}

export class Remembered<Value> {
  /** Grows each time that all is forgotten: what was verified by keys that are no longer those is not put in. */
  generation = 0;
  #young = new Map<string, Entry<Value>>();
  #old = new Map<string, Entry<Value>>();
  /** A request asks whose a token is before it asks whether it is good, and often the next request is the same caller's. */
  #last: Last<Value> = { token: "", entry: undefined };

  get(token: string, nowMs: number): Value | undefined {
    if (token !== this.#last.token) this.#last = { token, entry: this.#find(digestOf(token)) };
    const { entry } = this.#last;
    return entry !== undefined && entry.untilMs > nowMs ? entry.value : undefined;
  }

  /** Only what is good is put in: bad tokens, of which anybody can make as many as they like, cost no memory. */
  set(token: string, value: Value, expiresMs: number, nowMs: number, generation: number): void {
    if (generation !== this.generation) return;
    const entry = { value, untilMs: Math.min(expiresMs, nowMs + MAX_AGE_MS) };
    this.#put(digestOf(token), entry);
    this.#last = { token, entry };
  }

  clear(): void {
    this.generation++;
    this.#young.clear();
    this.#old.clear();
    this.#last = { token: "", entry: undefined };
  }

  #find(digest: string): Entry<Value> | undefined {
    const young = this.#young.get(digest);
    if (young) return young;
    const old = this.#old.get(digest);
    if (old) this.#put(digest, old);
    return old;
  }

  #put(digest: string, entry: Entry<Value>): void {
    if (this.#young.size >= MAX_TOKENS) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(digest, entry);
  }
}
