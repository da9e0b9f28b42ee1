/** A cache of verified credentials, by digest: the next request with the same one costs neither a signature nor a call. */

import { digestOf } from "../crypto/credential-digest.ts";
import { Generations } from "../stores/memory/generations.ts";

/** Of each of two generations: some thousand tokens of the usual size. */
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_AGE_MS = 5 * 60_000;
/** What a caller is, beside the text of its claims. */
const CALLER_BYTES = 1024;

interface Entry<Value> {
  readonly value: Value;
  readonly untilMs: number;
}

interface Last<Value> {
  readonly token: string;
  readonly entry: Entry<Value> | undefined;
}

export class VerifiedTokenCache<Value> {
  /** Grows each time that all is forgotten: what was verified by keys that are no longer those is not put in. */
  generation = 0;
  readonly #entries = new Generations<Entry<Value>>({ maxBytes: MAX_BYTES, maxAgeMs: MAX_AGE_MS });
  /** A request asks whose a token is before it asks whether it is good, and often the next request is the same caller's. */
  #last: Last<Value> = { token: "", entry: undefined };

  get(token: string, nowMs: number): Value | undefined {
    if (token !== this.#last.token) this.#last = { token, entry: this.#entries.get(digestOf(token), nowMs) };
    const { entry } = this.#last;
    return entry !== undefined && entry.untilMs > nowMs ? entry.value : undefined;
  }

  /**
   * Only what is good is put in: bad tokens, of which anybody can make as many as they like, cost no memory. `textBytes`: of what the value
   * holds; what is in a token is no longer than the token.
   */
  set(token: string, value: Value, expiresMs: number, nowMs: number, generation: number, textBytes = 2 * token.length): void {
    if (generation !== this.generation) return;
    const entry = { value, untilMs: Math.min(expiresMs, nowMs + MAX_AGE_MS) };
    this.#entries.set(digestOf(token), entry, CALLER_BYTES + textBytes, nowMs);
    this.#last = { token, entry };
  }

  clear(): void {
    this.generation++;
    this.#entries.clear();
    this.#last = { token: "", entry: undefined };
  }
}
