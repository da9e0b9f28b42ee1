/** What was verified, by digest, so that the next request with the same costs neither a signature nor a question. */
import { hash } from "node:crypto";

/** In each of two generations: what was asked for since the last turn outlives it, so that memory stays bounded without a list by age. */
const MAX_TOKENS = 5_000;
const MAX_AGE_MS = 5 * 60_000;

interface Entry<Value> {
  readonly value: Value;
  readonly untilMs: number;
}

export class Remembered<Value> {
  /** Grows each time that all is forgotten: what was verified by keys that are no longer those is not put in. */
  generation = 0;
  #young = new Map<string, Entry<Value>>();
  #old = new Map<string, Entry<Value>>();
  /** A request asks whose a token is before it asks whether it is good. */
  #lastToken = "";
  #lastDigest = "";

  get(token: string, nowMs: number): Value | undefined {
    const digest = this.#digestOf(token);
    let entry = this.#young.get(digest);
    if (!entry) {
      entry = this.#old.get(digest);
      if (entry) this.#put(digest, entry);
    }
    return entry !== undefined && entry.untilMs > nowMs ? entry.value : undefined;
  }

  /** Only what is good is put in: bad tokens, of which anybody can make as many as they like, cost no memory. */
  set(token: string, value: Value, expiresMs: number, nowMs: number, generation: number): void {
    if (generation !== this.generation) return;
    this.#put(this.#digestOf(token), { value, untilMs: Math.min(expiresMs, nowMs + MAX_AGE_MS) });
  }

  clear(): void {
    this.generation++;
    this.#young.clear();
    this.#old.clear();
  }

  #put(digest: string, entry: Entry<Value>): void {
    if (this.#young.size >= MAX_TOKENS) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(digest, entry);
  }

  #digestOf(token: string): string {
    if (token !== this.#lastToken) {
      this.#lastDigest = hash("sha256", token, "base64");
      this.#lastToken = token;
    }
    return this.#lastDigest;
  }
}
