/** The tables of the metrics store: one of all time for scrapes, and one for each span of time that charts show. */
import type { MetricTable } from "../contract/stores/metrics.ts";

export const TOTAL_TABLE = "total";

export interface Span {
  readonly name: string;
  readonly spanMs: number;
  readonly keptMs: number;
}

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;

/** Each is kept for a little more than the longest period whose chart it makes. */
export const SPANS = {
  minute: { name: "minute", spanMs: 60_000, keptMs: 2 * HOUR_MS },
  tenMinutes: { name: "10m", spanMs: 10 * 60_000, keptMs: 26 * HOUR_MS },
  hour: { name: "hour", spanMs: HOUR_MS, keptMs: 8 * DAY_MS },
  day: { name: "day", spanMs: DAY_MS, keptMs: 32 * DAY_MS },
} as const satisfies Record<string, Span>;

/** The same sums for every span that a time is in. */
export function spanTables(nowMs: number, sums: ReadonlyMap<string, number>): MetricTable[] {
  return Object.values(SPANS).map((span) => ({ name: tableAt(span, nowMs), ttlMs: span.keptMs, sums }));
}

export function tableAt({ name, spanMs }: Span, atMs: number): string {
  return `${name}:${Math.floor(atMs / spanMs)}`;
}
