/**
 * Counts requests, and hands the sums to the store in batches: one trip for each interval in which there were requests. What a crash loses
 * is what was counted since the last batch.
 */
import type { Clock } from "../contract/deps.ts";
import type { RequestRecord } from "../contract/record.ts";
import type { MetricBatch, Metrics, MetricTable } from "../contract/stores/metrics.ts";
import { spanTables, TOTAL_TABLE } from "./metric-tables.ts";
import type { Redact } from "./redaction.ts";
import { RequestTally } from "./request-tally.ts";

export interface RequestMetricsOptions {
  readonly store: Metrics;
  readonly clock: Pick<Clock, "now">;
  /** An id for each batch, unlike that of any instance. */
  batchId(): string;
}

export interface RequestMetrics {
  /** What the log may not hold of a caller, the names of sums do not either. */
  add(record: RequestRecord, redact: Redact): void;
  /** Hands over what has been counted. Resolves also where the store is away: it is handed over again later. */
  flush(): Promise<void>;
}

export function createRequestMetrics({ store, clock, batchId }: RequestMetricsOptions): RequestMetrics {
  let tally = new RequestTally();
  let unsent: MetricBatch | undefined;

  async function flush(): Promise<void> {
    if (unsent && !(await isTaken(unsent))) return;
    unsent = undefined;
    if (tally.isEmpty) return;
    const nowMs = clock.now();
    const { totals, spans } = tally.sums();
    tally = new RequestTally();
    const tables: MetricTable[] = [{ name: TOTAL_TABLE, ttlMs: undefined, sums: totals }, ...spanTables(nowMs, spans)];
    unsent = { id: batchId(), tables };
    if (await isTaken(unsent)) unsent = undefined;
  }

  async function isTaken(batch: MetricBatch): Promise<boolean> {
    return (await store.add(batch, clock.now())).state === "ok";
  }

  return {
    add(record, redact) {
      tally.add(record, redact);
    },
    flush,
  };
}
