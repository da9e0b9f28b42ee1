/** Chooses the stores by what is configured. Each is imported only where it is used, so that no bundle carries the others. */
import { join } from "node:path";
import type { Log } from "../contract/deps.ts";
import type { Stores } from "../contract/stores/stores.ts";
import { createMemoryStores } from "./memory/memory-stores.ts";
import type { OutageEvent } from "./outage.ts";

export interface StoresChoice {
  /** `budgetMs` is how long one trip may take. */
  readonly upstash?: { readonly url: string; readonly token: string; readonly budgetMs?: number } | undefined;
  /** Before every name in Redis: `fd:<name>:<environment>:`. */
  readonly prefix: string;
  /** The folder of the SQLite file; used on the Node host without Redis. */
  readonly dataDir?: string | undefined;
  readonly host: "node" | "vercel";
  /** For a process that goes on serving: a revocation that can't be written is held in memory. */
  readonly holdsRevocations?: boolean | undefined;
  readonly log: Log;
}

/** A file that stays unusable would fail on every request: it is reported this often. */
const REPORT_MS = 60_000;

export async function createStores(choice: StoresChoice): Promise<Stores> {
  const { upstash, prefix, dataDir, host, holdsRevocations = false, log } = choice;
  if (upstash) {
    const { createUpstashStores } = await import("./upstash/upstash-stores.ts");
    return createUpstashStores({
      ...upstash,
      prefix,
      onOutage: reporter(log, { away: "Redis does not answer", back: "Redis answers again" }),
      onSkew: (aheadMs) =>
        log.warn("this machine's clock and that of Redis are apart: instances count into different windows", {
          aheadMs,
          fix: "set the clock by NTP",
        }),
      onRefusal: reporter(log, { away: "Redis refuses to write", back: "Redis writes again" }),
    });
  }
  // A function on Vercel has no disk that lasts.
  if (host === "vercel" || dataDir === undefined) return createMemoryStores();
  const { createSqliteStores } = await import("./sqlite/sqlite-stores.ts");
  let reportedMs = Number.NEGATIVE_INFINITY;
  const file = join(dataDir, "frontdesk.db");
  return createSqliteStores({
    file,
    holdsRevocations,
    onError(error) {
      const nowMs = performance.now();
      if (nowMs - reportedMs < REPORT_MS) return;
      reportedMs = nowMs;
      log.error("the store file could not be read or written", {
        reason: error instanceof Error ? error.message : String(error),
      });
    },
    onBack() {
      reportedMs = Number.NEGATIVE_INFINITY;
      log.info("the store file is written again");
    },
    onInMemory: () =>
      log.error("the disk is full, and there is no store file yet: keys, limits and idempotency keys end with this process", {
        file,
        fix: "make room, then restart",
      }),
  });
}

/** One line at the beginning of an outage and one at its end. */
function reporter(log: Log, says: { readonly away: string; readonly back: string }): (event: OutageEvent) => void {
  return ({ state, ...fields }) => (state === "away" ? log.error(says.away, fields) : log.info(says.back, fields));
}
