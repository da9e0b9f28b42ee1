/** GET /gateway/metrics: what all instances have counted, for Prometheus and for collectors that read its formats. */
import type { MaybePromise } from "../contract/maybe-promise.ts";
import { refuse } from "../contract/problem.ts";
import type { Metrics } from "../contract/stores/metrics.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { EarlyResponse } from "../engine/run-steps.ts";
import { HeaderList } from "../http/header-list.ts";
import { CONTENT_TYPES, exposition, formatFor } from "../observe/exposition.ts";
import { TOTAL_TABLE } from "../observe/metric-tables.ts";
import type { Admit } from "./admit.ts";

export interface MetricsOptions {
  /** The operator, or a scraper with its own token. */
  readonly admit: Admit;
  readonly store: Metrics;
  /** Hands over what this instance has counted; undefined where the config switches metrics off. */
  readonly flush: (() => Promise<void>) | undefined;
  now(): number;
}

export function answerMetrics(
  { request }: RequestContext,
  { admit, store, flush, now }: MetricsOptions,
): MaybePromise<EarlyResponse> {
  const refusal = admit(request);
  if (refusal) return refusal;
  if (request.method !== "GET" && request.method !== "HEAD")
    return refuse("method-not-allowed", { headers: ["allow", "GET, HEAD"] });
  if (!flush) return refuse("route-not-found", { detail: "`observe.metrics` is false." });
  return read(request.headers.get("accept"), store, flush, now);
}

async function read(
  accept: string | undefined,
  store: Metrics,
  flush: () => Promise<void>,
  now: () => number,
): Promise<EarlyResponse> {
  await flush();
  const reply = await store.read([TOTAL_TABLE], now());
  if (reply.state !== "ok") return refuse("store-unavailable", { reason: reply.reason, headers: ["retry-after", "5"] });
  const format = formatFor(accept);
  const headers = new HeaderList(["content-type", CONTENT_TYPES[format], "cache-control", "no-store", "vary", "accept"]);
  return { status: 200, headers, body: exposition(reply.value[0]!, format) };
}
