/** API keys in the store file, read and written at once: a revocation must not be lost, nor a key that the CLI adds missed. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
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
import type { Attempt } from "./attempt.ts";
import { transact } from "./database.ts";
import type { FileHealth } from "./file-health.ts";
import type { FileRoom } from "./file-room.ts";
import { hasNoRoom } from "./result-code.ts";

type Row = Record<string, SQLOutputValue>;

const STORED = "record, revoked_ms, last_used_ms";
/** Two of the same form (database.ts), each with the changes in it. */
const TABLES = {
  keys: { records: "keys", log: "key_changes" },
  revoked: { records: "revoked", log: "revoked_changes" },
} as const;

export interface SqliteKeysParts {
  readonly attempt: Attempt;
  readonly health: FileHealth;
  readonly room: FileRoom;
  /** Whether a revocation that can't be written is held in memory: of use in a process that goes on. */
  readonly holds: boolean;
}

export class SqliteKeys implements Keys {
  readonly #database: DatabaseSync;
  readonly #attempt: Attempt;
  readonly #health: FileHealth;
  readonly #room: FileRoom;
  readonly #holds: boolean;
  /** Each record is a revocation. */
  readonly #isOfRevoked: boolean;
  readonly #statements;
  /** Revocations for which there was no room in the file, by digest. */
  readonly #held = new Map<string, Held>();

  constructor(database: DatabaseSync, what: keyof typeof TABLES, { attempt, health, room, holds }: SqliteKeysParts) {
    const { records, log } = TABLES[what];
    this.#database = database;
    this.#attempt = attempt;
    this.#health = health;
    this.#room = room;
    this.#holds = holds;
    this.#isOfRevoked = what === "revoked";
    this.#statements = {
      get: database.prepare(`SELECT ${STORED} FROM ${records} WHERE digest = ?`),
      find: database.prepare(`SELECT ${STORED} FROM ${records} WHERE id = ?`),
      list: database.prepare(`SELECT ${STORED}, place FROM ${records} WHERE place < ? ORDER BY place DESC LIMIT ?`),
      listOf: database.prepare(
        `SELECT ${STORED}, place FROM ${records} WHERE consumer = ? AND place < ? ORDER BY place DESC LIMIT ?`,
      ),
      leaveOld: database.prepare(`DELETE FROM ${records} WHERE id = ? AND digest <> ? RETURNING digest`),
      put: database.prepare(
        `INSERT INTO ${records} (digest, id, consumer, place, record, revoked_ms) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (digest) DO UPDATE SET id = excluded.id, consumer = excluded.consumer, place = excluded.place,
           record = excluded.record, revoked_ms = coalesce(${records}.revoked_ms, excluded.revoked_ms)`,
      ),
      replace: database.prepare(
        `UPDATE ${records} SET consumer = ?, place = ?, record = ?, revoked_ms = coalesce(revoked_ms, ?)
         WHERE digest = ? AND id = ? AND record ->> 'version' = ?`,
      ),
      remove: database.prepare(`DELETE FROM ${records} WHERE id = ? RETURNING digest`),
      removeExpired: database.prepare(`DELETE FROM ${records} WHERE record ->> 'expiresMs' <= ?`),
      revoke: database.prepare(`UPDATE ${records} SET revoked_ms = coalesce(revoked_ms, ?) WHERE id = ? RETURNING digest`),
      used: database.prepare(`UPDATE ${records} SET last_used_ms = max(coalesce(last_used_ms, 0), ?) WHERE digest = ?`),
      change: database.prepare(`INSERT INTO ${log} (digest) VALUES (?)`),
      trim: database.prepare(`DELETE FROM ${log} WHERE mark <= ?`),
      mark: database.prepare(`SELECT coalesce(max(mark), 0) AS mark FROM ${log}`),
      changes: database.prepare(`SELECT mark, digest FROM ${log} WHERE mark > ? ORDER BY mark LIMIT ?`),
    };
  }

  get(digest: string): StoreReply<KeyRecord | undefined> {
    return this.#attempt.read(() => this.#held.get(digest)?.record ?? maybeRecord(this.#statements.get.get(digest)));
  }

  find(id: string): StoreReply<KeyRecord | undefined> {
    return this.#attempt.read(() => this.#heldOf(id)?.record ?? maybeRecord(this.#statements.find.get(id)));
  }

  list(query: { readonly consumer?: string; readonly after?: string; readonly limit: number }): StoreReply<Page<KeyRecord>> {
    const { consumer, after = LAST_PLACE, limit } = query;
    return this.#attempt.read(() => {
      const { list, listOf } = this.#statements;
      const rows = consumer === undefined ? list.all(after, limit + 1) : listOf.all(consumer, after, limit + 1);
      const page = rows.slice(0, limit);
      return { items: page.map(recordOf), next: rows.length > limit ? String(page.at(-1)!.place) : undefined };
    });
  }

  put(record: KeyRecord): StoreReply<void> {
    const work = (): Changed<void> => {
      const { digest, id, consumer, revokedMs } = record;
      const { leaveOld, put } = this.#statements;
      const left = leaveOld.all(id, digest);
      put.run(digest, id, consumer, keyPlace(record), JSON.stringify(record), revokedMs ?? null);
      return { changed: [...left.map((row) => String(row.digest)), digest], result: undefined };
    };
    if (record.revokedMs === undefined && !this.#isOfRevoked) return this.#change(work);
    return this.#revocation(work, () => this.#hold(record, work, undefined));
  }

  replace(record: KeyRecord): StoreReply<boolean> {
    const { digest, id, consumer, revokedMs, version } = record;
    return this.#change(() => {
      const text = JSON.stringify(record);
      const { changes } = this.#statements.replace.run(
        consumer,
        keyPlace(record),
        text,
        revokedMs ?? null,
        digest,
        id,
        version - 1,
      );
      return { changed: changes === 1 ? [digest] : [], result: changes === 1 };
    });
  }

  remove(id: string): StoreReply<void> {
    const reply = this.#change(() => {
      const removed = this.#statements.remove.all(id);
      return { changed: removed.map((row) => String(row.digest)), result: undefined };
    });
    // Not before: where the key stays, so does its revocation.
    const held = reply.state === "ok" ? this.#heldOf(id) : undefined;
    if (held) this.#held.delete(held.record.digest);
    return reply;
  }

  removeExpired(nowMs: number): StoreReply<void> {
    return this.#attempt.write(() => {
      this.#statements.removeExpired.run(nowMs);
    });
  }

  revoke(id: string, nowMs: number): StoreReply<boolean> {
    const work = (): Changed<boolean> => {
      const revoked = this.#statements.revoke.all(nowMs, id);
      return { changed: revoked.map((row) => String(row.digest)), result: revoked.length === 1 };
    };
    return this.#revocation(work, () => {
      const found = this.find(id);
      if (found.state !== "ok") return found;
      const record = found.value;
      if (!record) return ok(false);
      // It may be held already, and was revoked then.
      return record.revokedMs === undefined ? this.#hold({ ...record, revokedMs: nowMs }, work, true) : ok(true);
    });
  }

  #hold<T>(record: KeyRecord, work: () => Changed<unknown>, result: T): StoreReply<T> {
    if (this.#held.size >= MAX_HELD && !this.#held.has(record.digest)) return unavailable("error");
    this.#held.set(record.digest, { record: structuredClone(record), work });
    return ok(result);
  }

  used(digest: string, nowMs: number): StoreReply<void> {
    return this.#attempt.write(() => {
      this.#statements.used.run(nowMs, digest);
    });
  }

  changes(since: number | undefined): StoreReply<KeyChanges> {
    this.#health.look();
    return this.#attempt.read(() => {
      const { mark, changes } = this.#statements;
      if (since === undefined) return { mark: Number(mark.get()!.mark), digests: "all" };
      const rows = changes.all(since, MAX_CHANGES + 1);
      const digests = rows.length > MAX_CHANGES ? "all" : rows.map((row) => String(row.digest));
      return { mark: Number(rows.at(-1)?.mark ?? since), digests };
    });
  }

  /** A change and its entry among the changes, both or none. */
  #change<T>(work: () => Changed<T>): StoreReply<T> {
    return this.#attempt.write(() => this.#write(work));
  }

  /**
   * A change that takes a credential back. Where there is no room for it, what is set aside is given up; where nothing is, this process
   * holds it in memory, and writes it when there is room again.
   */
  #revocation<T>(work: () => Changed<T>, hold: () => StoreReply<T>): StoreReply<T> {
    let fault: unknown;
    for (let left = true; left; left = hasNoRoom(fault) && this.#room.giveUpReserve()) {
      try {
        return ok(this.#write(work));
      } catch (error) {
        fault = error;
      }
    }
    this.#health.failed(fault);
    return this.#holds && hasNoRoom(fault) ? hold() : unavailable("error");
  }

  #write<T>(work: () => Changed<T>): T {
    return this.#room.withReserve(() =>
      transact(this.#database, () => {
        const { changed, result } = work();
        const { change, trim } = this.#statements;
        for (const digest of changed) trim.run(Number(change.run(digest).lastInsertRowid) - KEPT_CHANGES);
        return result;
      }),
    );
  }

  #heldOf(id: string): Held | undefined {
    return this.#held.size === 0 ? undefined : [...this.#held.values()].find(({ record }) => record.id === id);
  }

  /** How many revocations are in memory alone. */
  get held(): number {
    return this.#held.size;
  }

  /** Throws where one of them still finds no room. That one, and those after it, stay held. */
  writeHeld(): void {
    for (const { record, work } of this.#held.values()) {
      this.#write(work);
      this.#held.delete(record.digest);
    }
  }
}

/** A revocation that is in memory alone. */
interface Held {
  readonly record: KeyRecord;
  /** What could not be written: the change alone, so that it undoes no later one. */
  readonly work: () => Changed<unknown>;
}

interface Changed<T> {
  readonly changed: readonly string[];
  readonly result: T;
}

/** Those of operators; beyond it a revocation is refused, and said to be. */
const MAX_HELD = 10_000;

/** After every place, which begins with a digit. */
const LAST_PLACE = "~";

function maybeRecord(row: Row | undefined): KeyRecord | undefined {
  return row && recordOf(row);
}

function recordOf({ record, revoked_ms, last_used_ms }: Row): KeyRecord {
  return withStanding(JSON.parse(String(record)) as KeyRecord, number(revoked_ms), number(last_used_ms));
}

function number(value: SQLOutputValue | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
