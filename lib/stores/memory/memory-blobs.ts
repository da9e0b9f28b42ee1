/** Values of one process, within `maxBytes`: what has expired goes first, then what was not used for longest. */
import type { Blob, Blobs } from "../../contract/stores/blobs.ts";
import { ok, type StoreReply } from "../../contract/stores/reply.ts";
import { ownText } from "../own-text.ts";
import { type Expiring, ExpiryHeap } from "./expiry-heap.ts";
import { RecencyList, type Recent } from "./recency-list.ts";

interface Entry extends Expiring, Recent<Entry> {
  readonly key: string;
  readonly value: Uint8Array;
  readonly tags: readonly string[];
  readonly bytes: number;
}

/** What an entry costs beside its text and bytes: map slots, heap slot, object. A thousand empty values are not free. */
const ENTRY_BYTES = 256;

export class MemoryBlobs implements Blobs {
  readonly isOfThisProcess = true;
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Entry>();
  readonly #byUse = new RecencyList<Entry>();
  readonly #byTag = new Map<string, Set<Entry>>();
  readonly #byExpiry = new ExpiryHeap<Entry>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string, nowMs: number): StoreReply<Blob | undefined> {
    const entry = this.#entries.get(key);
    if (!entry || entry.expiresMs <= nowMs) return ok(undefined);
    this.#byUse.use(entry);
    return ok({ value: entry.value, expiresMs: entry.expiresMs });
  }

  set(
    askedKey: string,
    value: Uint8Array,
    options: { readonly ttlMs: number; readonly tags?: readonly string[] },
    nowMs: number,
  ): StoreReply<void> {
    const key = ownText(askedKey);
    const known = this.#entries.get(key);
    if (known) this.#drop(known);
    const tags = (options.tags ?? []).map(ownText);
    const text = tags.reduce((length, tag) => length + tag.length + 32, key.length);
    const bytes = ENTRY_BYTES + value.byteLength + 2 * text;
    if (bytes > this.#maxBytes) return ok(undefined);
    while (this.#bytes + bytes > this.#maxBytes) {
      const first = this.#byExpiry.first!;
      this.#drop(first.expiresMs <= nowMs ? first : this.#byUse.oldest!);
    }
    // A copy of its own: a small view would keep a whole network buffer alive, uncounted.
    const entry: Entry = {
      key,
      value: Uint8Array.from(value),
      tags,
      bytes,
      expiresMs: nowMs + options.ttlMs,
      slot: -1,
      older: undefined,
      newer: undefined,
    };
    this.#entries.set(key, entry);
    this.#byUse.use(entry);
    this.#byExpiry.place(entry);
    this.#bytes += bytes;
    for (const tag of tags) this.#byTag.set(tag, (this.#byTag.get(tag) ?? new Set()).add(entry));
    return ok(undefined);
  }

  delete(key: string): StoreReply<void> {
    const entry = this.#entries.get(key);
    if (entry) this.#drop(entry);
    return ok(undefined);
  }

  deleteByTag(tag: string): StoreReply<number> {
    return ok(this.#dropAll([...(this.#byTag.get(tag) ?? [])]));
  }

  deleteByPrefix(prefix: string): StoreReply<number> {
    return ok(this.#dropAll([...this.#entries.values()].filter((entry) => entry.key.startsWith(prefix))));
  }

  #dropAll(entries: readonly Entry[]): number {
    for (const entry of entries) this.#drop(entry);
    return entries.length;
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#byUse.remove(entry);
    this.#byExpiry.remove(entry);
    this.#bytes -= entry.bytes;
    for (const tag of entry.tags) {
      const tagged = this.#byTag.get(tag);
      tagged?.delete(entry);
      if (tagged?.size === 0) this.#byTag.delete(tag);
    }
  }
}
