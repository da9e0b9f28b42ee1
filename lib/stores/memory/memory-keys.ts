/** API keys of one process. They are gone when it ends: for tests, the demo and previews. */
import {
  KEPT_CHANGES,
  type KeyChanges,
  type KeyRecord,
  type Keys,
  keyPlace,
  MAX_CHANGES,
  type Page,
  withStanding,
} from "../../contract/stores/keys.ts";
import { ok, type StoreReply, unavailable } from "../../contract/stores/reply.ts";

export class MemoryKeys implements Keys {
  readonly #maxKeys: number;
  readonly #byDigest = new Map<string, KeyRecord>();
  readonly #digests = new Map<string, string>();
  /** Digests in the order of their changes; the mark of each is its place plus what was dropped before. */
  #changes: string[] = [];
  #dropped = 0;

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  get(digest: string): StoreReply<KeyRecord | undefined> {
    return ok(this.#byDigest.get(digest));
  }

  find(id: string): StoreReply<KeyRecord | undefined> {
    return ok(this.#byDigest.get(this.#digests.get(id) ?? ""));
  }

  list(query: { readonly consumer?: string; readonly after?: string; readonly limit: number }): StoreReply<Page<KeyRecord>> {
    const { consumer, after, limit } = query;
    const found = [...this.#byDigest.values()]
      .filter((key) => consumer === undefined || key.consumer === consumer)
      .map((key) => ({ key, place: keyPlace(key) }))
      .filter(({ place }) => after === undefined || place < after)
      .sort((a, b) => (a.place < b.place ? 1 : -1));
    const page = found.slice(0, limit);
    return ok({ items: page.map(({ key }) => key), next: found.length > limit ? page.at(-1)!.place : undefined });
  }

  put(record: KeyRecord): StoreReply<void> {
    const known = this.#byDigest.get(record.digest);
    // Dropping another key to make room would lock out its consumer.
    if (!known && this.#byDigest.size >= this.#maxKeys) return unavailable("error");
    const elsewhere = this.#digests.get(record.id);
    if (elsewhere !== undefined && elsewhere !== record.digest) {
      this.#byDigest.delete(elsewhere);
      this.#changed(elsewhere);
    }
    if (known) this.#digests.delete(known.id);
    this.#digests.set(record.id, record.digest);
    this.#write(structuredClone(record), known);
    return ok(undefined);
  }

  replace(record: KeyRecord): StoreReply<boolean> {
    const known = this.#byDigest.get(record.digest);
    if (known?.id !== record.id || known.version !== record.version - 1) return ok(false);
    this.#write(structuredClone(record), known);
    return ok(true);
  }

  remove(id: string): StoreReply<void> {
    const digest = this.#digests.get(id);
    if (digest === undefined) return ok(undefined);
    this.#byDigest.delete(digest);
    this.#digests.delete(id);
    this.#changed(digest);
    return ok(undefined);
  }

  removeExpired(nowMs: number): StoreReply<void> {
    for (const { id, digest, expiresMs } of this.#byDigest.values()) {
      if (expiresMs === undefined || expiresMs > nowMs) continue;
      this.#byDigest.delete(digest);
      this.#digests.delete(id);
    }
    return ok(undefined);
  }

  revoke(id: string, nowMs: number): StoreReply<boolean> {
    const record = this.#byDigest.get(this.#digests.get(id) ?? "");
    if (!record) return ok(false);
    this.#write({ ...record, revokedMs: record.revokedMs ?? nowMs }, undefined);
    return ok(true);
  }

  used(digest: string, nowMs: number): StoreReply<void> {
    const record = this.#byDigest.get(digest);
    if (record) this.#byDigest.set(digest, withStanding(record, undefined, nowMs));
    return ok(undefined);
  }

  changes(since: number | undefined): StoreReply<KeyChanges> {
    const mark = this.#dropped + this.#changes.length;
    const digests = since === undefined || mark - since > MAX_CHANGES ? "all" : this.#changes.slice(since - this.#dropped);
    return ok({ mark, digests });
  }

  #write(record: KeyRecord, standing: KeyRecord | undefined): void {
    this.#byDigest.set(record.digest, withStanding(record, standing?.revokedMs, standing?.lastUsedMs));
    this.#changed(record.digest);
  }

  #changed(digest: string): void {
    this.#changes.push(digest);
    if (this.#changes.length < 2 * KEPT_CHANGES) return;
    this.#changes = this.#changes.slice(KEPT_CHANGES);
    this.#dropped += KEPT_CHANGES;
  }
}
