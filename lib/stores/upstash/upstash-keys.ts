/** API keys in Redis: a hash by digest, an index by id, sorted sets by creation (all, and by consumer) and by revocation. */
import type { KeyRecord, Keys, Page } from "../keys.ts";
import { keyPlace, withRevocation } from "../keys.ts";
import type { StoreReply } from "../reply.ts";
import { putKeyScript, removeKeyScript, revokeKeyScript } from "./key-scripts.ts";
import { reply, type Trips } from "./trips.ts";

/** A hash's `record` and `revokedMs`. */
type Fields = readonly [string | null, string | null];

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

  list(query: {
    readonly consumer?: string;
    readonly after?: string;
    readonly limit: number;
  }): Promise<StoreReply<Page<KeyRecord>>> {
    return reply(this.#list(query.consumer, query.after, query.limit));
  }

  put(record: KeyRecord): Promise<StoreReply<void>> {
    const { digest, id, consumer, revokedMs } = record;
    const args = [this.#prefix, digest, id, consumer, keyPlace(record), JSON.stringify(record), revokedMs ?? ""];
    return reply(this.#trips.run(putKeyScript, [], args).then(() => {}));
  }

  remove(id: string): Promise<StoreReply<void>> {
    return reply(this.#trips.run(removeKeyScript, [], [this.#prefix, id]).then(() => {}));
  }

  revoke(id: string, nowMs: number): Promise<StoreReply<boolean>> {
    return reply(this.#trips.run<number>(revokeKeyScript, [], [this.#prefix, id, nowMs]).then((found) => found === 1));
  }

  revokedSince(sinceMs: number): Promise<StoreReply<readonly { readonly digest: string; readonly revokedMs: number }[]>> {
    const found = this.#trips.send<string[]>((pipeline) =>
      pipeline.zrange(`${this.#prefix}revoked`, sinceMs, "+inf", { byScore: true, withScores: true }),
    );
    return reply(
      found.then((flat) =>
        Array.from({ length: flat.length / 2 }, (_, index) => ({
          digest: flat[index * 2]!,
          revokedMs: Number(flat[index * 2 + 1]),
        })),
      ),
    );
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
    const [record, revokedMs] = await this.#trips.send<Fields>((pipeline) => pipeline.hmget(name, "record", "revokedMs"));
    if (record === null) return undefined;
    return withRevocation(JSON.parse(record) as KeyRecord, revokedMs === null ? undefined : Number(revokedMs));
  }
}
