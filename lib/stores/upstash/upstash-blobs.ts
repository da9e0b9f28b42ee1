/** Values in Redis, as base64 after their end; each tag is a sorted set of the keys that carry it, by when they end. */
import type { Blob, Blobs } from "../../contract/stores/blobs.ts";
import type { StoreReply } from "../../contract/stores/reply.ts";
import { script } from "./script.ts";
import { reply, type Trips } from "./trips.ts";

/** KEYS: the blob, its tags. ARGV: the value, its life, its end, now, the blob's key. Keys that have ended leave their tags. */
const setTaggedScript = script(`#!lua flags=allow-key-locking
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
for i = 2, #KEYS do
  redis.call("ZREMRANGEBYSCORE", KEYS[i], "-inf", ARGV[4])
  redis.call("ZADD", KEYS[i], ARGV[3], ARGV[5])
  if redis.call("PTTL", KEYS[i]) < tonumber(ARGV[2]) then redis.call("PEXPIRE", KEYS[i], ARGV[2]) end
end
return 1
`);

/** KEYS: the tag. ARGV: the prefix of blobs, how many at most. Returns how many were deleted, and whether more are left. */
const deleteTaggedScript = script(`
local popped = redis.call("ZPOPMIN", KEYS[1], ARGV[2])
local deleted = 0
for i = 1, #popped, 2 do deleted = deleted + redis.call("DEL", ARGV[1] .. popped[i]) end
return { deleted, redis.call("EXISTS", KEYS[1]) }
`);

/** Keys that one command looks at or deletes: about a millisecond of Redis's time, so that nobody else waits longer. */
const BATCH = 1000;

export class UpstashBlobs implements Blobs {
  readonly #trips: Trips;
  readonly #prefix: string;
  /** Walks over the keyspace, one after the other. */
  #walks: Promise<unknown> = Promise.resolve();

  constructor(trips: Trips, prefix: string) {
    this.#trips = trips;
    this.#prefix = prefix;
  }

  get(key: string, nowMs: number): Promise<StoreReply<Blob | undefined>> {
    return reply(
      this.#trips.get<string>(this.#name(key)).then((text) => {
        if (text === null) return undefined;
        const colon = text.indexOf(":");
        const expiresMs = Number(text.slice(0, colon));
        return expiresMs <= nowMs ? undefined : { value: Buffer.from(text.slice(colon + 1), "base64"), expiresMs };
      }),
    );
  }

  set(
    key: string,
    value: Uint8Array,
    options: { readonly ttlMs: number; readonly tags?: readonly string[] },
    nowMs: number,
  ): Promise<StoreReply<void>> {
    const { ttlMs, tags = [] } = options;
    const base64 = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
    const text = `${nowMs + ttlMs}:${base64}`;
    if (tags.length === 0) return reply(this.#trips.set(this.#name(key), text, { px: ttlMs }).then(() => {}));
    const keys = [this.#name(key), ...tags.map((tag) => this.#tag(tag))];
    return reply(this.#trips.run(setTaggedScript, keys, [text, ttlMs, nowMs + ttlMs, nowMs, key]).then(() => {}));
  }

  delete(key: string): Promise<StoreReply<void>> {
    return reply(this.#trips.send((pipeline) => pipeline.del(this.#name(key))).then(() => {}));
  }

  deleteByTag(tag: string): Promise<StoreReply<number>> {
    return reply(this.#deleteTagged(tag));
  }

  /**
   * Walks over all keys, a batch per request, and deletes those that match. An index of prefixes would make every write of a
   * blob dearer for what an operator does now and then; whoever purges often uses tags.
   */
  deleteByPrefix(prefix: string): Promise<StoreReply<number>> {
    const walk = this.#walks.then(() => this.#deletePrefixed(prefix));
    this.#walks = walk.catch(() => {});
    return reply(walk);
  }

  async #deleteTagged(tag: string): Promise<number> {
    let total = 0;
    for (let more = 1; more === 1; ) {
      const ran = await this.#trips.run<[number, number]>(deleteTaggedScript, [this.#tag(tag)], [this.#name(""), BATCH]);
      total += ran[0];
      more = ran[1];
    }
    return total;
  }

  async #deletePrefixed(prefix: string): Promise<number> {
    const match = `${this.#name(prefix).replace(/[*?[\]\\^]/g, "\\$&")}*`;
    let total = 0;
    let cursor: string | undefined;
    while (cursor !== "0") {
      const from: string = cursor ?? "0";
      const [next, names] = await this.#trips.send<[string, string[]]>((pipeline) =>
        pipeline.scan(from, { match, count: BATCH }),
      );
      if (names.length > 0) total += await this.#trips.send<number>((pipeline) => pipeline.unlink(...names));
      cursor = String(next);
    }
    return total;
  }

  #name(key: string): string {
    return `${this.#prefix}blob:${key}`;
  }

  #tag(tag: string): string {
    return `${this.#prefix}tag:${tag}`;
  }
}
