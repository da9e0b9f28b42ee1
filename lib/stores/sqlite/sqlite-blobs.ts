/** Values in memory with the store file behind: reads look in memory first, writes reach the file within a second. */
import type { DatabaseSync } from "node:sqlite";
import type { Blob, Blobs } from "../../contract/stores/blobs.ts";
import { ok, type StoreReply, unavailable } from "../../contract/stores/reply.ts";
import type { MemoryBlobs } from "../memory/memory-blobs.ts";
import { ownText } from "../own-text.ts";
import type { Attempt } from "./attempt.ts";
import { transact } from "./database.ts";
import type { WriteBehind, Writer } from "./write-behind.ts";

interface Pending {
  readonly value: Uint8Array;
  readonly expiresMs: number;
  readonly tags: readonly string[];
  /** Key and tags included, which hold text of callers: a path of 60 KB, say. */
  readonly bytes: number;
}

/** What waits to be written; more than this is written at once. */
const MAX_PENDING_BYTES = 8 * 1024 * 1024;
/** Rows that one flush clears away at most, so that it stays short. */
const MAX_CLEARED = 1000;

export class SqliteBlobs implements Blobs, Writer {
  readonly #database: DatabaseSync;
  readonly #behind: WriteBehind;
  readonly #attempt: Attempt;
  readonly #memory: MemoryBlobs;
  readonly #maxFileBytes: number;
  readonly #now: () => number;
  readonly #statements;
  readonly #pending = new Map<string, Pending>();
  #version: unknown;
  #pendingBytes = 0;

  constructor(
    database: DatabaseSync,
    behind: WriteBehind,
    attempt: Attempt,
    options: { readonly memory: MemoryBlobs; readonly maxFileBytes: number; now(): number },
  ) {
    this.#database = database;
    this.#behind = behind;
    this.#attempt = attempt;
    this.#memory = options.memory;
    this.#maxFileBytes = options.maxFileBytes;
    this.#now = options.now;
    const soonest = "SELECT rowid FROM blobs WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?";
    this.#statements = {
      version: database.prepare("PRAGMA data_version"),
      get: database.prepare("SELECT value, expires_ms FROM blobs WHERE key = ? AND expires_ms > ?"),
      set: database.prepare("INSERT OR REPLACE INTO blobs (key, value, expires_ms) VALUES (?, ?, ?)"),
      tag: database.prepare("INSERT OR IGNORE INTO blob_tags (tag, key) VALUES (?, ?)"),
      untag: database.prepare("DELETE FROM blob_tags WHERE key = ?"),
      delete: database.prepare("DELETE FROM blobs WHERE key = ?"),
      clear: database.prepare(`DELETE FROM blobs WHERE rowid IN (${soonest})`),
      tagged: database.prepare("SELECT key FROM blob_tags WHERE tag = ?"),
      prefixed: database.prepare("SELECT key FROM blobs WHERE substr(key, 1, length(:prefix)) = :prefix"),
      usedBytes: database.prepare(
        `SELECT (page_count - freelist_count) * page_size AS bytes
         FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
      ),
    };
    behind.add(this);
  }

  get(key: string, nowMs: number): StoreReply<Blob | undefined> {
    this.#freshen();
    const held = this.#memory.get(key, nowMs);
    if (held.state === "ok" && held.value) return held;
    const pending = this.#pending.get(key);
    if (pending) return ok(pending.expiresMs > nowMs ? pending : undefined);
    return this.#attempt.read(() => {
      const row = this.#statements.get.get(key, nowMs);
      if (!row) return undefined;
      const blob = { value: row.value as Uint8Array, expiresMs: Number(row.expires_ms) };
      this.#memory.set(key, blob.value, { ttlMs: blob.expiresMs - nowMs }, nowMs);
      return blob;
    });
  }

  set(
    key: string,
    value: Uint8Array,
    options: { readonly ttlMs: number; readonly tags?: readonly string[] },
    nowMs: number,
  ): StoreReply<void> {
    this.#memory.set(key, value, { ttlMs: options.ttlMs }, nowMs);
    this.#forget(key);
    const tags = (options.tags ?? []).map(ownText);
    const bytes = value.byteLength + 2 * tags.reduce((length, tag) => length + tag.length, key.length);
    this.#pending.set(ownText(key), { value: Uint8Array.from(value), expiresMs: nowMs + options.ttlMs, tags, bytes });
    this.#pendingBytes += bytes;
    if (this.#pendingBytes > MAX_PENDING_BYTES) this.#behind.flush();
    else this.#behind.mark();
    return ok(undefined);
  }

  delete(key: string): StoreReply<void> {
    this.#memory.delete(key);
    this.#forget(key);
    return this.#attempt.write(() => {
      this.#statements.delete.run(key);
    });
  }

  deleteByTag(tag: string): StoreReply<number> {
    return this.#deleteAll(() => this.#statements.tagged.all(tag));
  }

  deleteByPrefix(prefix: string): StoreReply<number> {
    return this.#deleteAll(() => this.#statements.prefixed.all({ prefix }));
  }

  write(): void {
    for (const [key, { value, expiresMs, tags }] of this.#pending) {
      this.#statements.untag.run(key);
      this.#statements.set.run(key, value, expiresMs);
      for (const tag of tags) this.#statements.tag.run(tag, key);
    }
    this.#statements.clear.run(this.#now(), MAX_CLEARED);
    const used = Number(this.#statements.usedBytes.get()!.bytes);
    if (used > this.#maxFileBytes) this.#statements.clear.run(Number.MAX_SAFE_INTEGER, MAX_CLEARED);
  }

  written(): void {
    this.#pending.clear();
    this.#pendingBytes = 0;
  }

  /** A cache may lose what it held. */
  failed(): void {
    this.written();
  }

  /** What another process has written since may be newer than what is held; SQLite counts such writes, and only those. */
  #freshen(): void {
    const version = this.#statements.version.get()?.data_version;
    if (version !== this.#version) this.#memory.deleteByPrefix("");
    this.#version = version;
  }

  #forget(key: string): void {
    this.#pendingBytes -= this.#pending.get(key)?.bytes ?? 0;
    this.#pending.delete(key);
  }

  /** What is pending is written first, so that the file alone knows which keys are meant. */
  #deleteAll(find: () => readonly Record<string, unknown>[]): StoreReply<number> {
    if (!this.#behind.flush()) return unavailable("error");
    return this.#attempt.write(() =>
      transact(this.#database, () => {
        const keys = find().map((row) => String(row.key));
        for (const key of keys) {
          this.#statements.delete.run(key);
          this.#memory.delete(key);
        }
        return keys.length;
      }),
    );
  }
}
