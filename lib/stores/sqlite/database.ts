/** Opens the Node host's store file, brings its schema up to date, and says plainly why where that fails. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { giveUpReserve } from "./file-room.ts";
import { hasNoRoom, resultCode } from "./result-code.ts";

/** Callers who have claims, and how much each has: for their shares. `''` is all together. */
const CLAIM_SHARES = `ALTER TABLE once ADD COLUMN owner TEXT NOT NULL DEFAULT '';
   CREATE TABLE once_shares (owner TEXT PRIMARY KEY, claims INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
   INSERT INTO once_shares SELECT '', count(*), coalesce(sum(octet_length(value)), 0) FROM once;
   CREATE TRIGGER once_added AFTER INSERT ON once BEGIN
     INSERT INTO once_shares SELECT column1, 1, coalesce(octet_length(new.value), 0) FROM (VALUES ('') UNION VALUES (new.owner)) WHERE true
       ON CONFLICT (owner) DO UPDATE SET claims = claims + 1, bytes = bytes + excluded.bytes;
   END;
   CREATE TRIGGER once_changed AFTER UPDATE ON once BEGIN
     UPDATE once_shares SET claims = claims - 1, bytes = bytes - coalesce(octet_length(old.value), 0) WHERE owner IN ('', old.owner);
     INSERT INTO once_shares SELECT column1, 1, coalesce(octet_length(new.value), 0) FROM (VALUES ('') UNION VALUES (new.owner)) WHERE true
       ON CONFLICT (owner) DO UPDATE SET claims = claims + 1, bytes = bytes + excluded.bytes;
     DELETE FROM once_shares WHERE owner = old.owner AND owner <> '' AND claims <= 0;
   END;
   CREATE TRIGGER once_removed AFTER DELETE ON once BEGIN
     UPDATE once_shares SET claims = claims - 1, bytes = bytes - coalesce(octet_length(old.value), 0) WHERE owner IN ('', old.owner);
     DELETE FROM once_shares WHERE owner = old.owner AND owner <> '' AND claims <= 0;
   END;`;

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
  CLAIM_SHARES,
  `CREATE TABLE metric_tables (name TEXT PRIMARY KEY, expires_ms INTEGER NOT NULL) WITHOUT ROWID;
   CREATE INDEX metric_tables_by_expiry ON metric_tables (expires_ms);
   CREATE TABLE metrics (tbl TEXT NOT NULL REFERENCES metric_tables (name) ON DELETE CASCADE, name TEXT NOT NULL, sum INTEGER NOT NULL,
     PRIMARY KEY (tbl, name)) WITHOUT ROWID;`,
];

/** How long a statement waits for another process's write. It blocks this process, so it is short. */
const BUSY_MS = 250;

export interface OpenedDatabase {
  readonly database: DatabaseSync;
  /** Set where there was no room for a new file: everything is in memory, and gone with this process. */
  readonly isInMemory: boolean;
}

/** Throws where the file can't be used, with a message for the operator. */
export function openDatabase(file: string): OpenedDatabase {
  try {
    makeFolder(dirname(file));
    return { database: openFile(file), isInMemory: false };
  } catch (error) {
    if (hasNoRoom(error) && giveUpReserve(file)) return openDatabase(file);
    // The gateway goes on serving: what is written is refused or held in memory, and health tells. But a file that is there holds
    // revocations, and without reading them nobody may be let in.
    if (!hasNoRoom(error) || !isNew(file)) throw new Error(explain(error, file), { cause: error });
    const database = new DatabaseSync(":memory:", { enableForeignKeyConstraints: true });
    transact(database, () => migrate(database, file));
    return { database, isInMemory: true };
  }
}

function openFile(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: BUSY_MS, enableForeignKeyConstraints: true });
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    transact(database, () => migrate(database, file));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Level by level: Node's own `recursive` never returns where a level can't be made, as below /proc. */
function makeFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found) throw new Error(`${folder} is a file, and has to be a folder`);
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    // It holds digests of keys and cached answers: nobody else's to read.
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another process was quicker.
    if (code !== "EEXIST") throw new Error(`the folder ${folder} can't be made (${code})`, { cause: error });
  }
}

/** Whether nothing of a store was ever written: not there, or begun on a full disk. */
function isNew(file: string): boolean {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) return true;
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return versionOf(database) === 0;
  } finally {
    database.close();
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

/** Writes what is there already. Throws where nothing can be written. */
export function touch(database: DatabaseSync): void {
  database.exec(`PRAGMA user_version = ${STEPS.length}`);
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()!.user_version);
}

function migrate(database: DatabaseSync, file: string): void {
  const version = versionOf(database);
  if (version > STEPS.length) {
    throw new Error(`${file} was written by a newer Frontdesk (schema ${version}, this one knows ${STEPS.length}): update it`);
  }
  // Nothing is written without need: a file that is up to date opens on a full disk.
  if (version === STEPS.length) return;
  for (const step of STEPS.slice(version)) database.exec(step);
  database.exec(`PRAGMA user_version = ${STEPS.length}`);
}

/** By result code. */
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
  const code = resultCode(error);
  if (code === undefined) return error instanceof Error ? error.message : String(error);
  return `the store file ${file} ${REASONS[code] ?? `can't be used: ${(error as Error).message}`}`;
}
