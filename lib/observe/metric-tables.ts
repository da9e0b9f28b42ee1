/** The tables of the metrics store: one of all time for scrapes, and one for each minute and each hour for charts. */
import type { MetricTable } from "../contract/stores/metrics.ts";

export const TOTAL_TABLE = "total";

export interface Span {
  readonly name: "minute" | "hour";
  readonly spanMs: number;
  readonly keptMs: number;
}

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;

export const MINUTE: Span = { name: "minute", spanMs: 60_000, keptMs: 26 * HOUR_MS };
export const HOUR: Span = { name: "hour", spanMs: HOUR_MS, keptMs: 31 * DAY_MS };

/** The same sums for the minute and the hour that a time is in. */
export function spanTables(nowMs: number, sums: ReadonlyMap<string, number>): MetricTable[] {
  return [MINUTE, HOUR].map((span) => ({ name: tableAt(span, nowMs), ttlMs: span.keptMs, sums }));
}

export function tableAt({ name, spanMs }: Span, atMs: number): string {
  return `${name}:${Math.floor(atMs / spanMs)}`;
}
