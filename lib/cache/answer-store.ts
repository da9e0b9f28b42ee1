/**
 * Where answers are kept: in this process's memory, ready to be sent, and behind it in the blobs that outlive the process or are
 * shared by several. The blobs are read only for what memory does not hold, and again for what it has held for a while.
 */
import { createHash } from "node:crypto";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import type { Blob, Blobs } from "../contract/stores/blobs.ts";
import type { StoreReply } from "../contract/stores/reply.ts";
import type { HeaderList } from "../http/header-list.ts";
import { variantKey } from "./cache-key.ts";
import { decodeAnswer, type Entry, encodeAnswer, type StoredAnswer, toEntry } from "./entry.ts";
import { MemoryEntries, type Slot } from "./memory-entries.ts";

/** Within this a purge by another process is heard of. */
const CHECK_MS = 5_000;
/** Its status is none: a blob that only says by which fields the answers of its key vary. */
const INDEX = 0;
export const PURGE_PREFIX = "cache:";

/** A request as the store needs to know it. */
export interface Wanted {
  readonly key: string;
  readonly path: string;
  readonly headers: HeaderList;
  /** What a caller gets of a stored answer on this route. */
  sentOf(answer: StoredAnswer): readonly string[];
}

export interface Found {
  readonly entry: Entry | undefined;
  /** Why there is none, where it is not for want of any (RFC 9211 section 2.2): only others, chosen by other fields, or one too old. */
  readonly why?: "vary-miss" | "stale";
}

const NOTHING: Found = { entry: undefined };
const OTHERS: Found = { entry: undefined, why: "vary-miss" };
const TOO_OLD: Found = { entry: undefined, why: "stale" };

export class AnswerStore {
  readonly #memory: MemoryEntries;
  readonly #blobs: Blobs | undefined;
  readonly #name: string;

  /** `name` tells hosts apart that share the blobs: their answers differ, in content codings for one. */
  constructor(maxBytes: number, blobs: Blobs, name: string) {
    this.#memory = new MemoryEntries(maxBytes);
    // What lives in this process alone would hold everything twice.
    this.#blobs = blobs.isOfThisProcess ? undefined : blobs;
    this.#name = name;
  }

  /** The fields by which known answers of this key vary. */
  varyOf(key: string): readonly string[] {
    return this.#memory.resource(key)?.vary ?? [];
  }

  /** A promise only where a store over the network is asked. */
  find(wanted: Wanted, nowMs: number): MaybePromise<Found> {
    const resource = this.#memory.resource(wanted.key);
    const slot = resource?.variants.get(variantKey(resource.vary, wanted.headers));
    if (slot) {
      if (slot.checkAtMs <= nowMs) return this.#checked(slot, wanted, nowMs);
      if (slot.entry.keepUntilMs > nowMs) {
        this.#memory.use(slot);
        return slot;
      }
      this.#memory.drop(slot);
      return TOO_OLD;
    }
    if (this.#blobs) return this.#load(wanted, nowMs);
    return resource ? OTHERS : NOTHING;
  }

  /** Memory at once; the promise is that of the store behind. */
  put(wanted: Pick<Wanted, "key" | "path">, variant: string, entry: Entry, nowMs: number): Promise<unknown> | undefined {
    this.#memory.put(wanted.key, variant, entry, this.#blobs ? nowMs + CHECK_MS : Number.POSITIVE_INFINITY);
    const ttlMs = Math.ceil(entry.keepUntilMs - nowMs);
    if (!this.#blobs || ttlMs <= 0) return undefined;
    const { validators: _, sent: __, keepUntilMs: ___, ...answer } = entry;
    const tags = answer.tags.map((tag) => PURGE_PREFIX + tag);
    const own = this.#blobs.set(this.#nameOf(wanted, variant), encodeAnswer(answer), { ttlMs, tags }, nowMs);
    if (variant === "") return Promise.resolve(own);
    const index: StoredAnswer = { ...answer, status: INDEX, pairs: [], body: new Uint8Array(), tags: [] };
    return Promise.all([own, this.#blobs.set(this.#nameOf(wanted, ""), encodeAnswer(index), { ttlMs, tags }, nowMs)]);
  }

  /** Whether the blob that an entry came from or went to is still there; where nobody can tell, the entry is believed. */
  #checked(slot: Slot, wanted: Wanted, nowMs: number): MaybePromise<Found> {
    return then(this.#blobs!.get(this.#nameOf(wanted, slot.variant), nowMs), (reply) => {
      slot.checkAtMs = nowMs + CHECK_MS;
      if (reply.state !== "ok") return slot;
      const answer = reply.value && decodeAnswer(reply.value.value);
      if (answer && answer.freshness.receivedMs === slot.entry.freshness.receivedMs) return slot;
      this.#memory.drop(slot);
      return answer ? this.#take(answer, slot.variant, wanted, nowMs) : NOTHING;
    });
  }

  #load(wanted: Wanted, nowMs: number): MaybePromise<Found> {
    return then(this.#blobs!.get(this.#nameOf(wanted, ""), nowMs), (reply): MaybePromise<Found> => {
      const first = decoded(reply);
      if (!first) return NOTHING;
      if (first.status !== INDEX) return this.#take(first, "", wanted, nowMs);
      const variant = variantKey(first.vary, wanted.headers);
      return then(this.#blobs!.get(this.#nameOf(wanted, variant), nowMs), (second) => {
        const answer = decoded(second);
        return answer ? this.#take(answer, variant, wanted, nowMs) : OTHERS;
      });
    });
  }

  #take(answer: StoredAnswer, variant: string, wanted: Wanted, nowMs: number): Found {
    const entry = toEntry(answer, wanted.sentOf(answer));
    if (entry.keepUntilMs <= nowMs) return NOTHING;
    this.#memory.put(wanted.key, variant, entry, nowMs + CHECK_MS);
    return { entry };
  }

  /** The path stands in front, so that answers can be purged by how it begins. */
  #nameOf({ key, path }: Pick<Wanted, "key" | "path">, variant: string): string {
    const digest = createHash("sha256").update(`${this.#name}\n${key}\n${variant}`).digest("base64url");
    return `${PURGE_PREFIX}${path}\n${digest}`;
  }

  /** One variant of a key. */
  evict(wanted: Pick<Wanted, "key" | "path">, variant: string): Promise<unknown> | undefined {
    const slot = this.#memory.resource(wanted.key)?.variants.get(variant);
    if (slot) this.#memory.drop(slot);
    return this.#blobs && Promise.resolve(this.#blobs.delete(this.#nameOf(wanted, variant)));
  }

  /** By a tag's name, or by a path. */
  dropNamed(what: { readonly tag: string } | { readonly path: string }): MaybePromise<StoreReply<number>> {
    const [tag] = "tag" in what ? namedTag(what.tag) : [pathTag(what.path)];
    return tag === undefined ? { state: "ok", value: 0 } : this.#dropTagged(tag);
  }

  #dropTagged(tag: string): MaybePromise<StoreReply<number>> {
    const count = this.#memory.dropTagged(tag);
    return this.#both(count, this.#blobs?.deleteByTag(PURGE_PREFIX + tag));
  }

  /** By how the path begins; all of them for an empty text. */
  dropBelow(pathPrefix: string): MaybePromise<StoreReply<number>> {
    const count = this.#memory.dropTaggedFrom(pathTag(pathPrefix));
    return this.#both(count, this.#blobs?.deleteByPrefix(PURGE_PREFIX + pathPrefix));
  }

  #both(count: number, behind: MaybePromise<StoreReply<number>> | undefined): MaybePromise<StoreReply<number>> {
    if (!behind) return { state: "ok", value: count };
    return then(behind, (reply) => (reply.state === "ok" ? { state: "ok", value: Math.max(count, reply.value) } : reply));
  }
}

/** Every entry carries the one of its path. */
export function pathTag(path: string): string {
  return `path:${path}`;
}

/** Vercel's bound for one. */
const MAX_TAG_LENGTH = 256;

/**
 * A tag of the backend, the config or an operator, as answers carry it; none where it is too long. Caches in front get it in a field: a
 * comma in a caller's value would make a second tag, and a character outside of ASCII no field at all. What is encoded stays so.
 */
export function namedTag(tag: string): readonly [string] | readonly [] {
  const text = tag.replace(/[^\x21-\x2b\x2d-\x7e]/gu, (c) => encodeURIComponent(c.isWellFormed() ? c : "\ufffd"));
  return text.length > MAX_TAG_LENGTH ? [] : [`tag:${text}`];
}

function decoded(reply: StoreReply<Blob | undefined>): StoredAnswer | undefined {
  return reply.state === "ok" && reply.value ? decodeAnswer(reply.value.value) : undefined;
}

function then<A, B>(value: MaybePromise<A>, next: (value: A) => MaybePromise<B>): MaybePromise<B> {
  return value instanceof Promise ? value.then(next) : next(value);
}
