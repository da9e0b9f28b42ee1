/** Counts of an instance since its last batch. A request costs one look-up; names of series are made when the batch is. */
import type { AttemptRecord, RequestRecord } from "../contract/record.ts";
import { MAX_METRIC_NAMES } from "../contract/stores/metrics.ts";
import { BUCKET_BOUNDS_MS, bucketOf } from "./duration-buckets.ts";
import { type MetricName, NO_ROUTE, seriesOf } from "./metric-names.ts";
import { type CacheResult, cacheResult, callerOf, outcomeOf, type RequestOutcome } from "./outcome.ts";
import type { Redact } from "./redaction.ts";

/** Requests that are alike in all that series tell apart. A record is not kept: it holds a caller's texts. */
interface Alike extends Durations {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly source: RequestRecord["source"];
  readonly code: string | undefined;
  readonly outcome: RequestOutcome;
  readonly cache: CacheResult | undefined;
  bytesIn: number;
  bytesOut: number;
  retries: number;
}

interface Durations {
  readonly buckets: Float64Array;
  sumUs: number;
}

/** By series, for the table of all time and for those of the span at hand. */
export interface Sums {
  readonly totals: ReadonlyMap<string, number>;
  readonly spans: ReadonlyMap<string, number>;
}

export class RequestTally {
  readonly #alike = new Map<string, Alike>();
  readonly #attempts = new Map<string, Durations & { readonly attempt: AttemptRecord }>();
  readonly #limited = new Map<string, number>();

  get isEmpty(): boolean {
    return this.#alike.size === 0;
  }

  add(record: RequestRecord, redact: Redact): void {
    const { route = NO_ROUTE, status, source, code, attempts, aborted, cacheStatus } = record;
    const method = knownMethod(record.method);
    const cache = cacheStatus === undefined ? undefined : cacheResult(cacheStatus);
    const key = `${status} ${method} ${source} ${code} ${cache} ${aborted} ${route}`;
    let alike = this.#alike.get(key);
    if (!alike) {
      if (this.#alike.size >= MAX_METRIC_NAMES) return;
      const outcome = outcomeOf(record);
      alike = { route, method, status, source, code, outcome, cache, bytesIn: 0, bytesOut: 0, retries: 0, ...noDurations() };
      this.#alike.set(key, alike);
    }
    count(alike, record.durationMs);
    alike.bytesIn += record.bytesIn;
    alike.bytesOut += record.bytesOut;
    for (let i = 0; i < attempts.length; i++) this.#addAttempt(attempts[i]!);
    if (attempts.length > 1) alike.retries += attempts.length - 1;
    if (status === 429) this.#addLimited(callerOf(redact(record)));
  }

  #addAttempt(attempt: AttemptRecord): void {
    const key = `${attempt.status} ${attempt.target}`;
    let durations = this.#attempts.get(key);
    if (!durations) {
      durations = { attempt, ...noDurations() };
      this.#attempts.set(key, durations);
    }
    count(durations, attempt.headMs ?? attempt.ms);
  }

  /** An attack from many addresses fills no memory. */
  #addLimited(caller: string): void {
    const known = this.#limited.get(caller);
    if (known !== undefined || this.#limited.size < MAX_LIMITED) this.#limited.set(caller, (known ?? 0) + 1);
  }

  sums(): Sums {
    const totals = new Map<string, number>();
    const spans = new Map<string, number>();
    const total = (name: MetricName, values: readonly string[], by: number) => add(totals, seriesOf(name, values), by);
    for (const alike of this.#alike.values()) {
      const { route, method, status, source, code, outcome, cache, bytesIn, bytesOut, retries, ...durations } = alike;
      const requests = durations.buckets.reduce((sum, own) => sum + own, 0);
      addDurations(totals, seriesOf("http_server_request_duration_seconds", [route, classOf(status)]), durations);
      total("frontdesk_requests_total", [route, method, String(status), source], requests);
      if (code !== undefined) total("frontdesk_refusals_total", [route, code], requests);
      if (cache !== undefined) total("frontdesk_cache_requests_total", [route, cache], requests);
      total("frontdesk_request_bytes_total", [route], bytesIn);
      total("frontdesk_response_bytes_total", [route], bytesOut);
      total("frontdesk_retries_total", [route], retries);
      // Charts need fewer names, since each span of time has its own.
      add(spans, `outcome:${outcome}`, requests);
      for (const [index, own] of durations.buckets.entries()) add(spans, `route:${route}#${index}`, own);
      if (code !== undefined) add(spans, `code:${code}`, requests);
      if (cache !== undefined) add(spans, `cache:${cache}`, requests);
    }
    for (const { attempt, ...durations } of this.#attempts.values())
      addDurations(
        totals,
        seriesOf("http_client_request_duration_seconds", [addressOf(attempt), attemptClass(attempt)]),
        durations,
      );
    for (const [caller, times] of this.#limited) add(spans, `limited:${caller}`, times);
    return { totals, spans };
  }
}

/** Callers told apart in one batch. */
const MAX_LIMITED = 200;

function noDurations(): Durations {
  return { buckets: new Float64Array(BUCKET_BOUNDS_MS.length + 1), sumUs: 0 };
}

function count(durations: Durations, ms: number): void {
  durations.buckets[bucketOf(ms)]!++;
  durations.sumUs += Math.round(ms * 1000);
}

/** A histogram's buckets by number, and the sum in whole microseconds: stores add whole numbers. */
function addDurations(sums: Map<string, number>, series: string, { buckets, sumUs }: Durations): void {
  for (const [index, own] of buckets.entries()) add(sums, `${series}#${index}`, own);
  add(sums, `${series}#sum`, sumUs);
}

function add(sums: Map<string, number>, name: string, by: number): void {
  if (by !== 0) sums.set(name, (sums.get(name) ?? 0) + by);
}

function classOf(status: number): string {
  return `${Math.floor(status / 100)}xx`;
}

function attemptClass({ status }: AttemptRecord): string {
  return status === undefined ? "error" : classOf(status);
}

function addressOf({ target }: AttemptRecord): string {
  return new URL(target).host;
}

/** https://opentelemetry.io/docs/specs/semconv/attributes-registry/http/#http-request-method */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"]);

function knownMethod(method: string): string {
  return METHODS.has(method) ? method : "_OTHER";
}
