/** All that is told of a request that has ended: the log, the last requests, metrics, and what is kept in the store. One for each instance. */
import type { CompiledConfig } from "../contract/compiled/config.ts";
import type { Clock } from "../contract/deps.ts";
import type { RequestRecord } from "../contract/record.ts";
import type { Stores } from "../contract/stores/stores.ts";
import { createKeptRecords } from "./kept-records.ts";
import { createRecentRecords } from "./recent.ts";
import { createRedaction } from "./redaction.ts";
import { createRequestLog, type RequestLogOptions } from "./request-log.ts";
import { createRequestMetrics } from "./request-metrics.ts";

/** What an instance has counted and kept goes to the stores so long after the first request that is among it. */
export const FLUSH_MS = 15_000;

export interface ObserverOptions {
  readonly stores: Pick<Stores, "log" | "metrics">;
  readonly clock: Pick<Clock, "now">;
  /** Absent: no request is logged. */
  readonly requestLog?: Pick<RequestLogOptions, "format" | "write"> | undefined;
  /** From 0 to 1. */
  random(): number;
  /** An id unlike that of any instance. */
  batchId(): string;
  /** Keeps the instance alive until then, where it would sleep otherwise. */
  defer(work: Promise<unknown>): void;
}

export interface Observer {
  /** What a gateway with this config tells its records to. */
  observe(config: CompiledConfig): (record: RequestRecord) => void;
  /** Of this instance, newest first. */
  recent(): readonly RequestRecord[];
  /** Hands everything to the stores: one trip. */
  flush(): Promise<void>;
}

export function createObserver({ stores, clock, requestLog, random, batchId, defer }: ObserverOptions): Observer {
  const recent = createRecentRecords();
  const metrics = createRequestMetrics({ store: stores.metrics, clock, batchId });
  const kept = createKeptRecords(stores.log);
  let isScheduled = false;

  async function flush(): Promise<void> {
    // Both ask in the same turn, and Redis gets one request.
    await Promise.all([metrics.flush(), kept.flush()]);
  }

  function schedule(): void {
    isScheduled = true;
    defer(
      new Promise<void>((resolve) => {
        setTimeout(() => {
          isScheduled = false;
          resolve(flush());
        }, FLUSH_MS).unref();
      }),
    );
  }

  return {
    observe(config) {
      const redact = createRedaction(config);
      const log = requestLog && createRequestLog(config, { ...requestLog, redact, random });
      const isCounted = config.observe?.metrics !== false;
      return (record) => {
        recent.add(record);
        log?.(record);
        if (isCounted) metrics.add(record, redact);
        kept.add(record, redact);
        if (!isScheduled) schedule();
      };
    },
    recent: () => recent.list(),
    flush,
  };
}
