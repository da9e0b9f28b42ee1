/** API keys of one process. They are gone when it ends: for tests, the demo and previews. */
import { type KeyRecord, type Keys, keyPlace, type Page, withRevocation } from "../keys.ts";
import { ok, type StoreReply, unavailable } from "../reply.ts";

export class MemoryKeys implements Keys {
  readonly #maxKeys: number;
  readonly #byDigest = new Map<string, KeyRecord>();
  readonly #digests = new Map<string, string>();

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  get(digest: string): StoreReply<KeyRecord | undefined> {
    return ok(this.#byDigest.get(digest));
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
    if (elsewhere !== undefined && elsewhere !== record.digest) this.#byDigest.delete(elsewhere);
    if (known) this.#digests.delete(known.id);
    this.#byDigest.set(record.digest, withRevocation(structuredClone(record), known?.revokedMs));
    this.#digests.set(record.id, record.digest);
    return ok(undefined);
  }

  remove(id: string): StoreReply<void> {
    const digest = this.#digests.get(id);
    if (digest !== undefined) this.#byDigest.delete(digest);
    this.#digests.delete(id);
    return ok(undefined);
  }

  revoke(id: string, nowMs: number): StoreReply<boolean> {
    const record = this.#byDigest.get(this.#digests.get(id) ?? "");
    if (!record) return ok(false);
    this.#byDigest.set(record.digest, withRevocation(record, record.revokedMs ?? nowMs));
    return ok(true);
  }

  revokedSince(sinceMs: number): StoreReply<readonly { readonly digest: string; readonly revokedMs: number }[]> {
    const revoked = [...this.#byDigest.values()].flatMap(({ digest, revokedMs }) =>
      revokedMs !== undefined && revokedMs >= sinceMs ? [{ digest, revokedMs }] : [],
    );
    return ok(revoked.sort((a, b) => a.revokedMs - b.revokedMs || (a.digest < b.digest ? -1 : 1)));
  }
}
