/** API keys in Redis: a hash by digest, an index by id, sorted sets by creation (all, and by consumer), by change and by end. */
import {
  type KeyChanges,
  type KeyRecord,
  type Keys,
  keyPlace,
  MAX_CHANGES,
  type Page,
  withStanding,
} from "../../contract/stores/keys.ts";
import type { StoreReply } from "../../contract/stores/reply.ts";
import { putKeyScript, removeExpiredScript, removeKeyScript, revokeKeyScript, usedKeyScript } from "./key-scripts.ts";
import { reply, type Trips } from "./trips.ts";

/** A hash's `record`, `revokedMs` and `lastUsedMs`. */
type Fields = readonly [string | null, string | null, string | null];

export class UpstashKeys implements Keys {
  readonly #trips: Trips;
  readonly #prefix: string;

  constructor(trips: Trips, prefix: string) {
    this.#trips = trips;
    this.#prefix = prefix;
  }

  get(digest: string): Promise<StoreReply<KeyRecord | undefined>> {
    return reply(this.#read(digest));
  }

  find(id: string): Promise<StoreReply<KeyRecord | undefined>> {
    const digest = this.#trips.get<string>(`${this.#prefix}key-id:${id}`);
    return reply(digest.then((found) => (found === null ? undefined : this.#read(found))));
  }

  list(query: {
    readonly consumer?: string;
    readonly after?: string;
    readonly limit: number;
  }): Promise<StoreReply<Page<KeyRecord>>> {
    return reply(this.#list(query.consumer, query.after, query.limit));
  }

  put(record: KeyRecord): Promise<StoreReply<void>> {
    return reply(this.#put(record, "").then(() => {}));
  }

  replace(record: KeyRecord): Promise<StoreReply<boolean>> {
    return reply(this.#put(record, String(record.version - 1)).then((written) => written === 1));
  }

  remove(id: string): Promise<StoreReply<void>> {
    return reply(this.#trips.run(removeKeyScript, [], [this.#prefix, id]).then(() => {}));
  }

  removeExpired(nowMs: number): Promise<StoreReply<void>> {
    return reply(this.#trips.run(removeExpiredScript, [], [this.#prefix, nowMs]).then(() => {}));
  }

  revoke(id: string, nowMs: number): Promise<StoreReply<boolean>> {
    return reply(this.#trips.run<number>(revokeKeyScript, [], [this.#prefix, id, nowMs]).then((found) => found === 1));
  }

  used(digest: string, nowMs: number): Promise<StoreReply<void>> {
    return reply(this.#trips.run(usedKeyScript, [], [this.#prefix, digest, nowMs]).then(() => {}));
  }

  changes(since: number | undefined): Promise<StoreReply<KeyChanges>> {
    const name = `${this.#prefix}key-changes`;
    const found = this.#trips.send<string[]>((pipeline) =>
      since === undefined
        ? pipeline.zrange(name, -1, -1, { withScores: true })
        : pipeline.zrange(name, `(${since}`, "+inf", { byScore: true, withScores: true, offset: 0, count: MAX_CHANGES + 1 }),
    );
    return reply(
      // Member, score, member, score.
      found.then((flat) => {
        const digests = flat.filter((_, index) => index % 2 === 0);
        const isAll = since === undefined || digests.length > MAX_CHANGES;
        return { mark: Number(flat.at(-1) ?? since ?? 0), digests: isAll ? "all" : digests };
      }),
    );
  }

  #put(record: KeyRecord, versionBefore: string): Promise<number> {
    const { digest, id, consumer, revokedMs, expiresMs } = record;
    const args = [
      digest,
      id,
      consumer,
      keyPlace(record),
      JSON.stringify(record),
      revokedMs ?? "",
      versionBefore,
      expiresMs ?? "",
    ];
    return this.#trips.run<number>(putKeyScript, [], [this.#prefix, ...args]);
  }

  async #list(consumer: string | undefined, after: string | undefined, limit: number): Promise<Page<KeyRecord>> {
    const set = consumer === undefined ? `${this.#prefix}keys` : `${this.#prefix}keys-of:${consumer}`;
    const members = await this.#trips.send<string[]>((pipeline) =>
      // The order of the arguments is the SDK's: with `rev` the higher bound comes first.
      pipeline.zrange(set, after === undefined ? "+" : `(${after}`, "-", { byLex: true, rev: true, offset: 0, count: limit + 1 }),
    );
    const page = members.slice(0, limit);
    const records = await Promise.all(page.map((member) => this.#read(member.slice(member.lastIndexOf(" ") + 1))));
    const last = page.at(-1);
    return {
      items: records.filter((record) => record !== undefined),
      next: members.length > limit && last !== undefined ? last.slice(0, last.lastIndexOf(" ")) : undefined,
    };
  }

  async #read(digest: string): Promise<KeyRecord | undefined> {
    const name = `${this.#prefix}key:${digest}`;
    const [record, revokedMs, usedMs] = await this.#trips.send<Fields>((pipeline) =>
      pipeline.hmget(name, "record", "revokedMs", "lastUsedMs"),
    );
    if (record === null) return undefined;
    return withStanding(JSON.parse(record) as KeyRecord, numberIn(revokedMs), numberIn(usedMs));
  }
}

function numberIn(text: string | null): number | undefined {
  return text === null ? undefined : Number(text);
}
