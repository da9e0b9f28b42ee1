/**
 * What one instance remembers of keys: their records by digest, unknown keys too, and since when it knows of every change. What is
 * remembered counts only while that knowledge is fresh, so that a revocation bites here within 5 seconds wherever it was made.
 */
import type { KeyChanges, KeyRecord } from "../../contract/stores/keys.ts";
import type { Stores } from "../../contract/stores/stores.ts";
import { RecencyList, type Recent } from "../../stores/memory/recency-list.ts";
import { SnapshotAge } from "../../stores/snapshot-age.ts";

/** Changes reach everybody; this is for a store that was emptied or put back by hand. */
const REMEMBER_MS = 5 * 60_000;
/** Bounds the memory that a flood of made-up keys can take; those in use are the last to go. */
const MAX_REMEMBERED = 10_000;

export interface RememberedKey extends Recent<RememberedKey> {
  readonly digest: string;
  /** Undefined: there is no such key. */
  readonly record: KeyRecord | undefined;
  readonly untilMs: number;
  /** When this instance or, before it, the record says that the key was last used. */
  lastUsedMs: number | undefined;
}

/** What was known when a question was sent: what is read may have changed before the answer comes. */
export interface Asked {
  readonly atMs: number;
  readonly stamp: number;
}

export class KeyMemory {
  readonly #known = new Map<string, RememberedKey>();
  readonly #recent = new RecencyList<RememberedKey>();
  /** Rises with everything that makes something old. */
  #stamp = 0;
  readonly #age = new SnapshotAge();
  /** Up to where changes are known; undefined before the first answer. */
  mark: number | undefined;

  find(digest: string, nowMs: number): RememberedKey | undefined {
    const found = this.#known.get(digest);
    if (!found) return undefined;
    if (nowMs >= found.untilMs) {
      this.forget(digest);
      return undefined;
    }
    this.#recent.use(found);
    return found;
  }

  isFresh(nowMs: number): boolean {
    return this.#age.isFresh(nowMs);
  }

  /** Whether this request shall ask for changes. */
  isDue(nowMs: number): boolean {
    return this.#age.isDue(nowMs);
  }

  ask(nowMs: number): Asked {
    return { atMs: nowMs, stamp: this.#stamp };
  }

  /** Forgets what has changed, and tells what was known when these changes had been. */
  learn({ mark, digests }: KeyChanges, asked: Asked): Asked {
    this.#age.checked(asked.atMs);
    // An answer that was overtaken by a later one has nothing new.
    if (this.mark !== undefined && mark <= this.mark) return asked;
    this.mark = mark;
    this.#stamp++;
    if (digests === "all") this.#known.forEach((_, digest) => this.#drop(digest));
    else digests.forEach((digest) => this.#drop(digest));
    return { ...asked, stamp: asked.stamp + 1 };
  }

  /** Remembers what the store said, unless something became old meanwhile: that may have been this very key. */
  keep(digest: string, record: KeyRecord | undefined, { stamp }: Asked, nowMs: number): RememberedKey {
    const remembered: RememberedKey = {
      digest,
      record,
      untilMs: nowMs + REMEMBER_MS,
      lastUsedMs: record?.lastUsedMs,
      older: undefined,
      newer: undefined,
    };
    if (stamp !== this.#stamp || this.mark === undefined) return remembered;
    this.#drop(digest);
    if (this.#known.size >= MAX_REMEMBERED) this.#drop(this.#recent.oldest!.digest);
    this.#known.set(digest, remembered);
    this.#recent.use(remembered);
    return remembered;
  }

  /** For a change that was made here: it bites at once, also on answers that are on their way. */
  forget(digest: string): void {
    this.#stamp++;
    this.#drop(digest);
  }

  get size(): number {
    return this.#known.size;
  }

  #drop(digest: string): void {
    const known = this.#known.get(digest);
    if (!known) return;
    this.#recent.remove(known);
    this.#known.delete(digest);
  }
}

const memories = new WeakMap<Stores, KeyMemory>();

/** One for each set of stores: all authenticators, the gateways of later configs and the admin API share it. */
export function keyMemoryOf(stores: Stores): KeyMemory {
  const memory = memories.get(stores) ?? new KeyMemory();
  memories.set(stores, memory);
  return memory;
}
