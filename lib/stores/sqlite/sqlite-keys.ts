/** API keys in the store file, read and written at once: a revocation must not be lost, nor a key that the CLI adds missed. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { type KeyRecord, type Keys, keyPlace, type Page, withRevocation } from "../keys.ts";
import type { StoreReply } from "../reply.ts";
import type { Attempt } from "./attempt.ts";
import { transact } from "./database.ts";

type Row = Record<string, SQLOutputValue>;

export class SqliteKeys implements Keys {
  readonly #database: DatabaseSync;
  readonly #attempt: Attempt;
  readonly #statements;

  constructor(database: DatabaseSync, attempt: Attempt) {
    this.#database = database;
    this.#attempt = attempt;
    this.#statements = {
      get: database.prepare("SELECT record, revoked_ms FROM keys WHERE digest = ?"),
      list: database.prepare("SELECT record, revoked_ms, place FROM keys WHERE place < ? ORDER BY place DESC LIMIT ?"),
      listOf: database.prepare(
        "SELECT record, revoked_ms, place FROM keys WHERE consumer = ? AND place < ? ORDER BY place DESC LIMIT ?",
      ),
      leaveOld: database.prepare("DELETE FROM keys WHERE id = ? AND digest <> ?"),
      put: database.prepare(
        `INSERT INTO keys (digest, id, consumer, place, record, revoked_ms) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (digest) DO UPDATE SET id = excluded.id, consumer = excluded.consumer, place = excluded.place,
           record = excluded.record, revoked_ms = coalesce(keys.revoked_ms, excluded.revoked_ms)`,
      ),
      remove: database.prepare("DELETE FROM keys WHERE id = ?"),
      revoke: database.prepare("UPDATE keys SET revoked_ms = coalesce(revoked_ms, ?) WHERE id = ?"),
      revoked: database.prepare("SELECT digest, revoked_ms FROM keys WHERE revoked_ms >= ? ORDER BY revoked_ms, digest"),
    };
  }

  get(digest: string): StoreReply<KeyRecord | undefined> {
    return this.#attempt(() => {
      const row = this.#statements.get.get(digest);
      return row && recordOf(row);
    });
  }

  list(query: { readonly consumer?: string; readonly after?: string; readonly limit: number }): StoreReply<Page<KeyRecord>> {
    const { consumer, after = LAST_PLACE, limit } = query;
    return this.#attempt(() => {
      const { list, listOf } = this.#statements;
      const rows = consumer === undefined ? list.all(after, limit + 1) : listOf.all(consumer, after, limit + 1);
      const page = rows.slice(0, limit);
      return { items: page.map(recordOf), next: rows.length > limit ? String(page.at(-1)!.place) : undefined };
    });
  }

  put(record: KeyRecord): StoreReply<void> {
    const { digest, id, consumer, revokedMs } = record;
    return this.#attempt(() =>
      transact(this.#database, () => {
        this.#statements.leaveOld.run(id, digest);
        this.#statements.put.run(digest, id, consumer, keyPlace(record), JSON.stringify(record), revokedMs ?? null);
      }),
    );
  }

  remove(id: string): StoreReply<void> {
    return this.#attempt(() => {
      this.#statements.remove.run(id);
    });
  }

  revoke(id: string, nowMs: number): StoreReply<boolean> {
    return this.#attempt(() => this.#statements.revoke.run(nowMs, id).changes === 1);
  }

  revokedSince(sinceMs: number): StoreReply<readonly { readonly digest: string; readonly revokedMs: number }[]> {
    return this.#attempt(() =>
      this.#statements.revoked.all(sinceMs).map((row) => ({ digest: String(row.digest), revokedMs: Number(row.revoked_ms) })),
    );
  }
}

/** After every place, which begins with a digit. */
const LAST_PLACE = "~";

function recordOf(row: Row): KeyRecord {
  return withRevocation(
    JSON.parse(String(row.record)) as KeyRecord,
    row.revoked_ms === null ? undefined : Number(row.revoked_ms),
  );
}
