/** Stores in one SQLite file: the Node host's default for what must outlive a restart. */
import { MemoryBlobs } from "../memory/memory-blobs.ts";
import { MemoryCounters } from "../memory/memory-counters.ts";
import { MEMORY_BOUNDS } from "../memory/memory-stores.ts";
import { ALWAYS_THERE, type Stores } from "../stores.ts";
import { attemptWith } from "./attempt.ts";
import { CounterFile } from "./counter-file.ts";
import { openDatabase } from "./database.ts";
import { SqliteBlobs } from "./sqlite-blobs.ts";
import { SqliteKeys } from "./sqlite-keys.ts";
import { SqliteLog } from "./sqlite-log.ts";
import { SqliteOnce } from "./sqlite-once.ts";
import { type Schedule, scheduleTimer, WriteBehind } from "./write-behind.ts";

export interface SqliteOptions {
  readonly file: string;
  readonly maxIdentifiers?: number;
  readonly maxClaims?: number;
  /** Held in memory in front of the file. */
  readonly maxBlobBytes?: number;
  /** Over it, the blobs that would expire first go. */
  readonly maxFileBytes?: number;
  /** Of each stream. */
  readonly maxLogEntries?: number;
  /** Epoch milliseconds, for clearing away what has expired. */
  now?(): number;
  readonly schedule?: Schedule;
  /** Told of every statement that failed; the caller of the store gets `unavailable`. */
  onError?(error: unknown): void;
}

const BOUNDS = {
  maxIdentifiers: MEMORY_BOUNDS.maxIdentifiers,
  maxClaims: 1_000_000,
  maxBlobBytes: MEMORY_BOUNDS.maxBlobBytes,
  maxFileBytes: 1024 * 1024 * 1024,
  maxLogEntries: MEMORY_BOUNDS.maxLogEntries,
  now: Date.now,
  schedule: scheduleTimer,
  onError: () => {},
};

/** Throws where the file can't be used, with a message for the operator. */
export function createSqliteStores(options: SqliteOptions): Stores {
  const { file, maxIdentifiers, maxClaims, maxBlobBytes, maxFileBytes, maxLogEntries, now, schedule, onError } = {
    ...BOUNDS,
    ...options,
  };
  const database = openDatabase(file);
  const behind = new WriteBehind(database, schedule, onError);
  const attempt = attemptWith(onError);
  const backing = new CounterFile(database, behind, { maxPending: maxIdentifiers, now });
  const counters = new MemoryCounters({ maxIdentifiers, backing });
  return {
    counters,
    local: counters,
    status: () => ALWAYS_THERE,
    keys: new SqliteKeys(database, attempt, "keys"),
    revoked: new SqliteKeys(database, attempt, "revoked"),
    once: new SqliteOnce(database, attempt, maxClaims),
    blobs: new SqliteBlobs(database, behind, attempt, { memory: new MemoryBlobs(maxBlobBytes), maxFileBytes, now }),
    log: new SqliteLog(database, behind, attempt, maxLogEntries),
    describe: {
      counters: `in memory; periods and windows of ten minutes and more also in ${file}, within a second`,
      keys: `in ${file}`,
      once: `in ${file}, before the request goes on`,
      blobs: `in memory, and in ${file} within a second`,
      log: `in ${file} within a second, the last ${maxLogEntries} of each stream`,
    },
    async close() {
      if (!database.isOpen) return;
      behind.flush();
      database.close();
    },
  };
}
