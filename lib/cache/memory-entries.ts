/** Stored answers of this process, ready to be sent: found by key and variant, bounded by bytes, the longest unused go first. */

import { RecencyList, type Recent } from "../stores/memory/recency-list.ts";
import { ownText } from "../stores/own-text.ts";
import type { Entry } from "./entry.ts";

/** All variants of one key: they are told apart by the fields that the latest answer varied by. */
export interface Resource {
  readonly vary: readonly string[];
  readonly variants: ReadonlyMap<string, Slot>;
}

export interface Slot extends Recent<Slot> {
  readonly key: string;
  readonly variant: string;
  readonly entry: Entry;
  readonly bytes: number;
  /** When it is to be looked up in the store behind again: another process may have purged it. */
  checkAtMs: number;
}

interface MutableResource extends Resource {
  readonly variants: Map<string, Slot>;
}

/** What a slot costs beside texts and bytes: objects, map places. */
const SLOT_BYTES = 1024;

export class MemoryEntries {
  readonly #maxBytes: number;
  readonly #resources = new Map<string, MutableResource>();
  readonly #byTag = new Map<string, Set<Slot>>();
  readonly #byUse = new RecencyList<Slot>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  resource(key: string): Resource | undefined {
    return this.#resources.get(key);
  }

  use(slot: Slot): void {
    this.#byUse.use(slot);
  }

  put(askedKey: string, variant: string, asked: Entry, checkAtMs: number): void {
    // Keys and tags hold pieces of a request's target: copies of their own, or they would keep all of it alive, uncounted.
    const key = ownText(askedKey);
    const entry = { ...asked, tags: asked.tags.map(ownText) };
    let resource = this.#resources.get(key);
    // Answers that vary by other fields than before can't be told apart from the older ones.
    if (resource && resource.vary.join() !== entry.vary.join())
      for (const slot of [...resource.variants.values()]) this.drop(slot);
    const known = resource?.variants.get(variant);
    if (known) this.drop(known);
    const text = key.length + variant.length + [...entry.pairs, ...entry.sent, ...entry.tags].join("").length;
    const bytes = SLOT_BYTES + entry.body.byteLength + 2 * text;
    if (bytes > this.#maxBytes) return;
    while (this.#bytes + bytes > this.#maxBytes) this.drop(this.#byUse.oldest!);
    const slot: Slot = { key, variant, entry, bytes, checkAtMs, older: undefined, newer: undefined };
    resource = this.#resources.get(key) ?? { vary: entry.vary, variants: new Map() };
    resource.variants.set(variant, slot);
    this.#resources.set(key, resource);
    for (const tag of entry.tags) {
      const tagged = this.#byTag.get(tag) ?? new Set();
      this.#byTag.set(tag, tagged.add(slot));
    }
    this.#byUse.use(slot);
    this.#bytes += bytes;
  }

  drop(slot: Slot): void {
    const resource = this.#resources.get(slot.key);
    if (resource?.variants.get(slot.variant) !== slot) return;
    resource.variants.delete(slot.variant);
    if (resource.variants.size === 0) this.#resources.delete(slot.key);
    for (const tag of slot.entry.tags) {
      const tagged = this.#byTag.get(tag)!;
      tagged.delete(slot);
      if (tagged.size === 0) this.#byTag.delete(tag);
    }
    this.#byUse.remove(slot);
    this.#bytes -= slot.bytes;
  }

  /** How many were dropped. */
  dropTagged(tag: string): number {
    const slots = [...(this.#byTag.get(tag) ?? [])];
    slots.forEach((slot) => this.drop(slot));
    return slots.length;
  }

  /** By the start of a tag. */
  dropTaggedFrom(prefix: string): number {
    const tags = [...this.#byTag.keys()].filter((tag) => tag.startsWith(prefix));
    return tags.reduce((count, tag) => count + this.dropTagged(tag), 0);
  }
}
