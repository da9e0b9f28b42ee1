/** Sums by name, in tables: one that stays, and one for each span of time that charts show. Instances add to them in batches. */
import type { Pending } from "./reply.ts";

export interface MetricTable {
  /** `total`, or a span of time: `minute:28800000`. */
  readonly name: string;
  /** How long it is kept after the last addition; undefined: without end. */
  readonly ttlMs: number | undefined;
  /** Whole numbers. */
  readonly sums: ReadonlyMap<string, number>;
}

export interface MetricBatch {
  /** By which a store that was not heard in time adds a batch once, however often it is sent. */
  readonly id: string;
  readonly tables: readonly MetricTable[];
}

/** A table that is full takes no further names; those that it has still count. */
export const MAX_METRIC_NAMES = 20_000;
/** How long the id of a batch is remembered. */
export const BATCH_ID_MS = 10 * 60_000;

export interface Metrics {
  /** One trip, for all tables. */
  add(batch: MetricBatch, nowMs: number): Pending<void>;
  /** In the order of the names; a table that is not there is empty. One trip. */
  read(tables: readonly string[], nowMs: number): Pending<readonly ReadonlyMap<string, number>[]>;
}
