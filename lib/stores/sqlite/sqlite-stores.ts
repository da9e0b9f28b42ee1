/** Stores in one SQLite file: the Node host's default for what must outlive a restart. */

import type { Stores } from "../../contract/stores/stores.ts";
import { MemoryBlobs } from "../memory/memory-blobs.ts";
import { MemoryCounters } from "../memory/memory-counters.ts";
import { MEMORY_BOUNDS } from "../memory/memory-stores.ts";
import { attemptWith } from "./attempt.ts";
import { CounterFile } from "./counter-file.ts";
import { openDatabase, touch } from "./database.ts";
import { FileHealth } from "./file-health.ts";
import { FileRoom } from "./file-room.ts";
import { SqliteBlobs } from "./sqlite-blobs.ts";
import { SqliteKeys } from "./sqlite-keys.ts";
import { SqliteLog } from "./sqlite-log.ts";
import { SqliteMetrics } from "./sqlite-metrics.ts";
import { SqliteOnce } from "./sqlite-once.ts";
import { type Schedule, scheduleTimer, WriteBehind } from "./write-behind.ts";

export interface SqliteOptions {
  readonly file: string;
  readonly maxIdentifiers?: number;
  readonly maxClaims?: number;
  /** Of the values of claims together. */
  readonly maxClaimBytes?: number;
  /** Counts that outlive this process. */
  readonly maxCounts?: number;
  /** Held in memory in front of the file. */
  readonly maxBlobBytes?: number;
  /** Over it, the blobs that would expire first go. */
  readonly maxFileBytes?: number;
  /** The file never grows over it, but for what is set aside for keys and revocations. */
  readonly maxTotalBytes?: number;
  /** Of each stream. */
  readonly maxLogEntries?: number;
  /** For a process that goes on: a revocation that can't be written is held in memory. */
  readonly holdsRevocations?: boolean;
  /** Epoch milliseconds, for clearing away what has expired. */
  now?(): number;
  readonly schedule?: Schedule;
  /** Told of every statement that failed; the caller of the store gets `unavailable`. */
  onError?(error: unknown): void;
  /** After such errors, the file is written again. */
  onBack?(): void;
  /** There was no room to make the file: everything is in memory. */
  onInMemory?(): void;
}

const BOUNDS = {
  maxIdentifiers: MEMORY_BOUNDS.maxIdentifiers,
  maxClaims: 1_000_000,
  maxClaimBytes: 256 * 1024 * 1024,
  maxCounts: 200_000,
  // The cache, whose answers are most of them, has a memory of its own.
  maxBlobBytes: 8 * 1024 * 1024,
  maxFileBytes: 1024 * 1024 * 1024,
  maxTotalBytes: 2 * 1024 * 1024 * 1024,
  maxLogEntries: MEMORY_BOUNDS.maxLogEntries,
  holdsRevocations: false,
  now: Date.now,
  schedule: scheduleTimer,
  onError: () => {},
  onBack: () => {},
  onInMemory: () => {},
};

/** Throws where the file can't be used, with a message for the operator. */
export function createSqliteStores(options: SqliteOptions): Stores {
  const { file, maxIdentifiers, maxClaims, maxClaimBytes, maxCounts, maxFileBytes, maxLogEntries, now, onError, ...more } = {
    ...BOUNDS,
    ...options,
  };
  const { database, isInMemory } = openDatabase(file);
  if (isInMemory) more.onInMemory();
  const room = new FileRoom(database, isInMemory ? undefined : file, more.maxTotalBytes);
  const health = new FileHealth({
    now,
    onError,
    probe() {
      touch(database);
      for (const store of [keys, revoked]) store.writeHeld();
    },
    onBack() {
      room.setAside();
      more.onBack();
    },
  });
  const behind = new WriteBehind(database, more.schedule, health);
  const attempt = attemptWith(health, onError);
  const parts = { attempt, health, room, holds: more.holdsRevocations };
  const keys = new SqliteKeys(database, "keys", parts);
  const revoked = new SqliteKeys(database, "revoked", parts);
  const backing = new CounterFile(database, behind, { maxPending: maxIdentifiers, maxRows: maxCounts, now });
  const counters = new MemoryCounters({ maxIdentifiers, backing });
  const memory = new MemoryBlobs(more.maxBlobBytes);
  return {
    counters,
    local: counters,
    status() {
      const heldRevocations = keys.held + revoked.held;
      return heldRevocations === 0 ? health.status : { ...health.status, heldRevocations };
    },
    keys,
    revoked,
    once: new SqliteOnce(database, attempt, { maxClaims, maxBytes: maxClaimBytes }),
    blobs: new SqliteBlobs(database, behind, attempt, { memory, maxFileBytes, now }),
    log: new SqliteLog(database, behind, attempt, maxLogEntries),
    metrics: new SqliteMetrics(database, behind, attempt, now),
    describe: {
      counters: `in memory; periods and windows of ten minutes and more also in ${file}, within a second`,
      keys: `in ${file}`,
      once: `in ${file}, before the request goes on`,
      blobs: `in memory, and in ${file} within a second`,
      log: `in ${file} within a second, the last ${maxLogEntries} of each stream`,
      metrics: `in ${file} within a second`,
    },
    async close() {
      if (!database.isOpen) return;
      behind.flush();
      database.close();
    },
  };
}
