/** Stores in Upstash Redis over HTTP: for Vercel and for several instances. */

import type { Stores } from "../../contract/stores/stores.ts";
import { LeasedCounters } from "../leased-counters.ts";
import { MemoryCounters } from "../memory/memory-counters.ts";
import { MEMORY_BOUNDS } from "../memory/memory-stores.ts";
import type { OutageEvent } from "../outage.ts";
import { Trips } from "./trips.ts";
import { UpstashBlobs } from "./upstash-blobs.ts";
import { UpstashCounters } from "./upstash-counters.ts";
import { UpstashKeys } from "./upstash-keys.ts";
import { UpstashLog } from "./upstash-log.ts";
import { UpstashMetrics } from "./upstash-metrics.ts";
import { UpstashOnce } from "./upstash-once.ts";

export interface UpstashOptions {
  readonly url: string;
  readonly token: string;
  /** Before every name: `fd:<name>:<environment>:`, so that a preview never spends or revokes production's. */
  readonly prefix: string;
  /** How long one question may take, whatever it needs. */
  readonly budgetMs?: number;
  /** Of each stream, about. */
  readonly maxLogEntries?: number;
  /** Epoch milliseconds, for what depends on time here: outages, sockets. Counting is handed its time. */
  now?(): number;
  /** Redis does not answer, or does again. */
  onOutage?(event: OutageEvent): void;
  /** Redis answers, and refuses to write (out of memory, a replica), or writes again. */
  onRefusal?(event: OutageEvent): void;
  /** This machine's clock is so far ahead of Redis's, or behind where it is negative. */
  onSkew?(aheadMs: number): void;
}

export function createUpstashStores(options: UpstashOptions): Stores {
  const { url, prefix, budgetMs = 80, maxLogEntries = 10_000, now = Date.now } = options;
  const trips = new Trips({ ...options, budgetMs });
  const there = `in Upstash Redis at ${new URL(url).host}, under ${prefix}`;
  const counters = new LeasedCounters(new UpstashCounters(trips, prefix));
  return {
    counters,
    keys: new UpstashKeys(trips, prefix),
    revoked: new UpstashKeys(trips, `${prefix}revoked:`),
    once: new UpstashOnce(trips, prefix),
    blobs: new UpstashBlobs(trips, prefix),
    log: new UpstashLog(trips, prefix, maxLogEntries),
    metrics: new UpstashMetrics(trips, prefix),
    local: new MemoryCounters({ maxIdentifiers: MEMORY_BOUNDS.maxIdentifiers }),
    status: () => trips.status,
    describe: {
      counters: there,
      keys: there,
      once: there,
      blobs: there,
      log: `${there}, about the last ${maxLogEntries} of each stream`,
      metrics: there,
    },
    async close() {
      await counters.giveBack(now());
      await trips.close();
    },
  };
}
