/** Stores in this process's memory: bounded in every dimension, and always answering at once, never with a promise. */
import { ALWAYS_THERE, type Stores } from "../../contract/stores/stores.ts";
import { MemoryBlobs } from "./memory-blobs.ts";
import { MemoryCounters } from "./memory-counters.ts";
import { MemoryKeys } from "./memory-keys.ts";
import { MemoryLog } from "./memory-log.ts";
import { MemoryMetrics } from "./memory-metrics.ts";
import { MemoryOnce } from "./memory-once.ts";

export interface MemoryBounds {
  /** Callers counted at once. */
  readonly maxIdentifiers?: number;
  readonly maxKeys?: number;
  readonly maxClaims?: number;
  /** Values of completed claims together. */
  readonly maxClaimBytes?: number;
  readonly maxBlobBytes?: number;
  /** Of each stream. */
  readonly maxLogEntries?: number;
  readonly maxLogBytes?: number;
}

export const MEMORY_BOUNDS = {
  maxIdentifiers: 100_000,
  maxKeys: 10_000,
  maxClaims: 100_000,
  maxClaimBytes: 32 * 1024 * 1024,
  maxBlobBytes: 64 * 1024 * 1024,
  maxLogEntries: 10_000,
  maxLogBytes: 16 * 1024 * 1024,
} as const satisfies Required<MemoryBounds>;

/** The same interfaces, with replies that are never promises. */
export interface MemoryStores extends Stores {
  readonly counters: MemoryCounters;
  readonly keys: MemoryKeys;
  readonly once: MemoryOnce;
  readonly blobs: MemoryBlobs;
  readonly log: MemoryLog;
  readonly metrics: MemoryMetrics;
}

export function createMemoryStores(bounds: MemoryBounds = {}): MemoryStores {
  const { maxIdentifiers, maxKeys, maxClaims, maxClaimBytes, maxBlobBytes, maxLogEntries, maxLogBytes } = {
    ...MEMORY_BOUNDS,
    ...bounds,
  };
  const here = "in this process's memory";
  const counters = new MemoryCounters({ maxIdentifiers });
  return {
    counters,
    local: counters,
    status: () => ALWAYS_THERE,
    keys: new MemoryKeys(maxKeys),
    revoked: new MemoryKeys(maxKeys),
    once: new MemoryOnce({ maxClaims, maxBytes: maxClaimBytes }),
    blobs: new MemoryBlobs(maxBlobBytes),
    log: new MemoryLog({ maxEntries: maxLogEntries, maxBytes: maxLogBytes }),
    metrics: new MemoryMetrics(),
    describe: {
      counters: `${here}, at most ${maxIdentifiers} callers`,
      keys: `${here}, at most ${maxKeys}; gone when it ends`,
      once: `${here}, at most ${maxClaims}`,
      blobs: `${here}, at most ${Math.round(maxBlobBytes / 1024 / 1024)} MB`,
      log: `${here}, the last ${maxLogEntries} of each stream`,
      metrics: `${here}; gone when it ends`,
    },
    close: async () => {},
  };
}
