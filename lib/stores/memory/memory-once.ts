/** Claims of one process, at most `maxClaims`. A claim that is alive is never forgotten to make room for another. */
import { randomUUID } from "node:crypto";
import { boundedKey } from "../bounded-key.ts";
import type { Claim, Once } from "../once.ts";
import { ok, type StoreReply, unavailable } from "../reply.ts";
import { type Expiring, ExpiryHeap } from "./expiry-heap.ts";

interface Entry extends Expiring {
  readonly key: string;
  readonly token: string;
  value: string | undefined;
}

export class MemoryOnce implements Once {
  readonly #maxClaims: number;
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Entry>();
  readonly #byExpiry = new ExpiryHeap<Entry>();
  #bytes = 0;

  constructor(options: { readonly maxClaims: number; readonly maxBytes: number }) {
    this.#maxClaims = options.maxClaims;
    this.#maxBytes = options.maxBytes;
  }

  claim(key: string, ttlMs: number, nowMs: number): StoreReply<Claim> {
    this.#dropExpired(nowMs);
    const name = boundedKey(key);
    const held = this.#entries.get(name);
    if (held) return ok(held.value === undefined ? { state: "held" } : { state: "done", value: held.value });
    // Forgetting a nonce would let it be replayed: refuse to answer instead.
    if (this.#entries.size >= this.#maxClaims) return unavailable("error");
    const entry: Entry = { key: name, token: randomUUID(), value: undefined, expiresMs: nowMs + ttlMs, slot: -1 };
    this.#entries.set(name, entry);
    this.#byExpiry.place(entry);
    return ok({ state: "claimed", token: entry.token });
  }

  complete(key: string, token: string, value: string, ttlMs: number, nowMs: number): StoreReply<boolean> {
    this.#dropExpired(nowMs);
    const entry = this.#held(key, token);
    if (!entry) return ok(false);
    if (this.#bytes + value.length * 2 > this.#maxBytes) return unavailable("error");
    this.#bytes += value.length * 2;
    entry.value = value;
    entry.expiresMs = nowMs + ttlMs;
    this.#byExpiry.place(entry);
    return ok(true);
  }

  release(key: string, token: string): StoreReply<void> {
    const entry = this.#held(key, token);
    if (entry) this.#drop(entry);
    return ok(undefined);
  }

  #held(key: string, token: string): Entry | undefined {
    const entry = this.#entries.get(boundedKey(key));
    return entry?.token === token && entry.value === undefined ? entry : undefined;
  }

  #dropExpired(nowMs: number): void {
    for (let first = this.#byExpiry.first; first && first.expiresMs <= nowMs; first = this.#byExpiry.first) this.#drop(first);
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#byExpiry.remove(entry);
    this.#bytes -= (entry.value?.length ?? 0) * 2;
  }
}
