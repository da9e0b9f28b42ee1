/** Claims of one process, bounded in number and bytes, and for each owner. A claim that is alive is never forgotten to make room for another. */
import { randomUUID } from "node:crypto";
import { type Claim, type Once, OWNER_SHARE } from "../../contract/stores/once.ts";
import { ok, type StoreReply, unavailable } from "../../contract/stores/reply.ts";
import { boundedKey } from "../bounded-key.ts";
import { ownText } from "../own-text.ts";
import { type Expiring, ExpiryHeap } from "./expiry-heap.ts";

interface Entry extends Expiring {
  readonly key: string;
  readonly token: string;
  readonly owner: Owner | undefined;
  value: string | undefined;
}

/** What a caller has of the room. */
interface Owner {
  readonly name: string;
  claims: number;
  bytes: number;
}

export class MemoryOnce implements Once {
  readonly #maxClaims: number;
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Entry>();
  /** Those who have claims: never more than there are claims. */
  readonly #owners = new Map<string, Owner>();
  readonly #byExpiry = new ExpiryHeap<Entry>();
  #bytes = 0;

  constructor(options: { readonly maxClaims: number; readonly maxBytes: number }) {
    this.#maxClaims = options.maxClaims;
    this.#maxBytes = options.maxBytes;
  }

  claim(key: string, ttlMs: number, nowMs: number, ownedBy?: string): StoreReply<Claim> {
    this.#dropExpired(nowMs);
    const name = boundedKey(key);
    const held = this.#entries.get(name);
    if (held) return ok(held.value === undefined ? { state: "held" } : { state: "done", value: held.value });
    const owner = ownedBy === undefined ? undefined : this.#ownerOf(boundedKey(ownedBy));
    if (owner && owner.claims >= this.#maxClaims * OWNER_SHARE) return ok({ state: "exhausted" });
    // Forgetting a nonce would let it be replayed: refuse to answer instead.
    if (this.#entries.size >= this.#maxClaims) return unavailable("error");
    const entry: Entry = {
      key: ownText(name),
      token: randomUUID(),
      owner,
      value: undefined,
      expiresMs: nowMs + ttlMs,
      slot: -1,
    };
    this.#entries.set(entry.key, entry);
    this.#byExpiry.place(entry);
    if (owner) {
      owner.claims++;
      this.#owners.set(owner.name, owner);
    }
    return ok({ state: "claimed", token: entry.token });
  }

  complete(key: string, token: string, value: string, ttlMs: number, nowMs: number): StoreReply<boolean> {
    this.#dropExpired(nowMs);
    const entry = this.#held(key, token);
    if (!entry) return ok(false);
    const bytes = value.length * 2;
    const { owner } = entry;
    if (this.#bytes + bytes > this.#maxBytes) return unavailable("error");
    if (owner && owner.bytes + bytes > this.#maxBytes * OWNER_SHARE) return unavailable("error");
    this.#bytes += bytes;
    if (owner) owner.bytes += bytes;
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

  /** It is kept once it has a claim. */
  #ownerOf(name: string): Owner {
    return this.#owners.get(name) ?? { name: ownText(name), claims: 0, bytes: 0 };
  }

  #dropExpired(nowMs: number): void {
    for (let first = this.#byExpiry.first; first && first.expiresMs <= nowMs; first = this.#byExpiry.first) this.#drop(first);
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#byExpiry.remove(entry);
    const bytes = (entry.value?.length ?? 0) * 2;
    this.#bytes -= bytes;
    const { owner } = entry;
    if (!owner) return;
    owner.bytes -= bytes;
    owner.claims--;
    if (owner.claims === 0) this.#owners.delete(owner.name);
  }
}
