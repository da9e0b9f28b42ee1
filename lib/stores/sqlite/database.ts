/** Opens the Node host's store file, brings its schema up to date, and says plainly why where that fails. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** One step per schema version; a file knows how many it has had (`user_version`). Only ever add to the end. */
const STEPS: readonly string[] = [
  `CREATE TABLE counters (key TEXT PRIMARY KEY, state TEXT NOT NULL, expires_ms INTEGER NOT NULL) WITHOUT ROWID;
   CREATE INDEX counters_by_expiry ON counters (expires_ms);
   CREATE TABLE keys (digest TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, consumer TEXT NOT NULL, place TEXT NOT NULL,
     record TEXT NOT NULL, revoked_ms INTEGER) WITHOUT ROWID;
   CREATE INDEX keys_by_place ON keys (place);
   CREATE INDEX keys_by_consumer ON keys (consumer, place);
   CREATE INDEX keys_by_revocation ON keys (revoked_ms) WHERE revoked_ms IS NOT NULL;
   CREATE TABLE once (key TEXT PRIMARY KEY, token TEXT NOT NULL, value TEXT, expires_ms INTEGER NOT NULL) WITHOUT ROWID;
   CREATE INDEX once_by_expiry ON once (expires_ms);
   CREATE TABLE blobs (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_ms INTEGER NOT NULL);
   CREATE INDEX blobs_by_expiry ON blobs (expires_ms);
   CREATE TABLE blob_tags (tag TEXT NOT NULL, key TEXT NOT NULL REFERENCES blobs (key) ON DELETE CASCADE,
     PRIMARY KEY (tag, key)) WITHOUT ROWID;
   CREATE INDEX blob_tags_by_key ON blob_tags (key);
   CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, time_ms INTEGER NOT NULL, value TEXT NOT NULL);
   CREATE INDEX log_by_stream ON log (stream, id);`,
  // AUTOINCREMENT: a mark is never given twice, also after the newest was trimmed.
  `ALTER TABLE keys ADD COLUMN last_used_ms INTEGER;
   DROP INDEX keys_by_revocation;
   CREATE TABLE key_changes (mark INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL);`,
  `CREATE TABLE revoked (digest TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, consumer TEXT NOT NULL, place TEXT NOT NULL,
     record TEXT NOT NULL, revoked_ms INTEGER, last_used_ms INTEGER) WITHOUT ROWID;
   CREATE INDEX revoked_by_place ON revoked (place);
   CREATE INDEX revoked_by_consumer ON revoked (consumer, place);
   CREATE INDEX revoked_by_expiry ON revoked (record ->> 'expiresMs');
   CREATE TABLE revoked_changes (mark INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL);`,
];

/** How long a statement waits for another process's write. It blocks this process, so it is short. */
const BUSY_MS = 250;

export function openDatabase(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    // It holds digests of keys and cached answers: nobody else's to read.
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    database = new DatabaseSync(file, { timeout: BUSY_MS, enableForeignKeyConstraints: true });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    transact(database, () => migrate(database!, file));
    return database;
  } catch (error) {
    database?.close();
    throw new Error(explain(error, file), { cause: error });
  }
}

/** All or nothing; `IMMEDIATE`, so that a second process waits here instead of failing half way. */
export function transact<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function migrate(database: DatabaseSync, file: string): void {
  const version = Number(database.prepare("PRAGMA user_version").get()!.user_version);
  if (version > STEPS.length) {
    throw new Error(`${file} was written by a newer Frontdesk (schema ${version}, this one knows ${STEPS.length}): update it`);
  }
  for (const step of STEPS.slice(version)) database.exec(step);
  database.exec(`PRAGMA user_version = ${STEPS.length}`);
}

/** SQLite's primary result codes. */
const REASONS: Record<number, string> = {
  5: "is locked by another process that holds it for itself: stop that one, or set GATEWAY_DATA_DIR to another folder",
  8: "can't be written: check its owner and permissions",
  10: "can't be read or written: the disk reports an error",
  11: "is damaged: move it away (what it counted is lost) or restore a copy",
  13: "can't grow: the disk is full",
  14: "can't be opened: check that its folder exists and may be written",
  26: "is not a store of Frontdesk: move it away or set GATEWAY_DATA_DIR to another folder",
};

function explain(error: unknown, file: string): string {
  const code = (error as { errcode?: number }).errcode;
  if (code === undefined) return error instanceof Error ? error.message : String(error);
  return `the store file ${file} ${REASONS[code & 0xff] ?? `can't be used: ${(error as Error).message}`}`;
}
