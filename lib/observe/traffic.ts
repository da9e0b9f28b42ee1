/** What charts show of a period: outcomes and durations over time, and who and what had most of it. Of all instances. */
import type { Metrics } from "../contract/stores/metrics.ts";
import type { Unavailable } from "../contract/stores/reply.ts";
import { BUCKET_BOUNDS_MS, quantileMs } from "./duration-buckets.ts";
import { SPANS, type Span, tableAt } from "./metric-tables.ts";
import { type CacheResult, OUTCOMES, type RequestOutcome } from "./outcome.ts";

/** By name: the span of a point, and how many points there are. */
export const PERIODS = {
  "15m": { span: SPANS.minute, points: 15 },
  "1h": { span: SPANS.minute, points: 60 },
  "24h": { span: SPANS.tenMinutes, points: 144 },
  "7d": { span: SPANS.hour, points: 168 },
  "30d": { span: SPANS.day, points: 30 },
} as const satisfies Record<string, { readonly span: Span; readonly points: number }>;

export type Period = keyof typeof PERIODS;

export type Outcomes = Readonly<Record<RequestOutcome, number>>;

export interface TrafficPoint extends Outcomes {
  /** Its beginning: ISO 8601. */
  readonly time: string;
  /** Milliseconds; null where there was no request. */
  readonly p50: number | null;
  readonly p95: number | null;
}

export interface Traffic {
  readonly period: Period;
  readonly stepMs: number;
  /** Oldest first; the last one is under way. */
  readonly points: readonly TrafficPoint[];
  readonly requests: number;
  readonly outcomes: Outcomes;
  readonly p50: number | null;
  readonly p95: number | null;
  /** Busiest first. */
  readonly routes: readonly RouteTraffic[];
  /** Most frequent first. */
  readonly codes: readonly Counted[];
  /** Callers who were told 429, most often first. */
  readonly limited: readonly Counted[];
  readonly cache: Readonly<Record<CacheResult, number>>;
}

export interface RouteTraffic {
  readonly route: string;
  readonly requests: number;
  readonly p50: number | null;
  readonly p95: number | null;
}

export interface Counted {
  readonly name: string;
  readonly count: number;
}

const MAX_LISTED = 100;

/** One trip to the store. */
export async function readTraffic(store: Metrics, period: Period, nowMs: number): Promise<Traffic | Unavailable> {
  const { span, points } = PERIODS[period];
  const times = Array.from({ length: points }, (_, index) => nowMs - (points - 1 - index) * span.spanMs);
  const reply = await store.read(
    times.map((time) => tableAt(span, time)),
    nowMs,
  );
  if (reply.state !== "ok") return reply;
  const tables = reply.value;
  const whole = new Map<string, number>();
  for (const table of tables) for (const [name, sum] of table) whole.set(name, (whole.get(name) ?? 0) + sum);
  const outcomes = outcomesIn(whole);
  return {
    period,
    stepMs: span.spanMs,
    points: tables.map((table, index) => ({
      time: new Date(Math.floor(times[index]! / span.spanMs) * span.spanMs).toISOString(),
      ...outcomesIn(table),
      ...quantiles(bucketsBy(table, () => "")[0]?.[1] ?? []),
    })),
    requests: Object.values(outcomes).reduce((sum, own) => sum + own, 0),
    outcomes,
    ...quantiles(bucketsBy(whole, () => "")[0]?.[1] ?? []),
    routes: bucketsBy(whole, (route) => route)
      .map(([route, buckets]) => ({ route, requests: buckets.reduce((sum, own) => sum + own, 0), ...quantiles(buckets) }))
      .sort((a, b) => b.requests - a.requests)
      .slice(0, MAX_LISTED),
    codes: countedBelow(whole, "code:"),
    limited: countedBelow(whole, "limited:"),
    cache: {
      hit: whole.get("cache:hit") ?? 0,
      stale: whole.get("cache:stale") ?? 0,
      miss: whole.get("cache:miss") ?? 0,
      bypass: whole.get("cache:bypass") ?? 0,
    },
  };
}

function outcomesIn(sums: ReadonlyMap<string, number>): Outcomes {
  return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, sums.get(`outcome:${outcome}`) ?? 0])) as unknown as Outcomes;
}

/** Histograms of the routes, or of groups of them. */
function bucketsBy(sums: ReadonlyMap<string, number>, groupOf: (route: string) => string): [group: string, buckets: number[]][] {
  const groups = new Map<string, number[]>();
  for (const [name, count] of sums) {
    if (!name.startsWith("route:")) continue;
    const hash = name.lastIndexOf("#");
    const group = groupOf(name.slice("route:".length, hash));
    const buckets = groups.get(group) ?? new Array<number>(BUCKET_BOUNDS_MS.length + 1).fill(0);
    groups.set(group, buckets);
    buckets[Number(name.slice(hash + 1))]! += count;
  }
  return [...groups];
}

function quantiles(buckets: readonly number[]): { readonly p50: number | null; readonly p95: number | null } {
  const at = (share: number) => {
    const ms = quantileMs(buckets, share);
    return ms === undefined ? null : Math.round(ms * 100) / 100;
  };
  return { p50: at(0.5), p95: at(0.95) };
}

function countedBelow(sums: ReadonlyMap<string, number>, prefix: string): Counted[] {
  return [...sums]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, count]) => ({ name: name.slice(prefix.length), count }))
    .sort((a, b) => b.count - a.count)
    .slice(0, MAX_LISTED);
}
