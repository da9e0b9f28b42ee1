/**
 * The metrics, by name. Names and labels are those of OpenTelemetry's HTTP semantic conventions, spelt as Prometheus does, where there
 * is one (https://opentelemetry.io/docs/specs/semconv/http/http-metrics/). docs/observability.md explains each; a test holds the two together.
 */

export interface MetricKind {
  readonly type: "counter" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
}

export const METRICS = {
  http_server_request_duration_seconds: {
    type: "histogram",
    help: "From the head of a request to the end of its answer",
    labels: ["http_route", "status_class"],
  },
  frontdesk_requests_total: {
    type: "counter",
    help: "Requests; status 0 where the caller had gone before",
    labels: ["http_route", "http_request_method", "http_response_status_code", "source"],
  },
  frontdesk_refusals_total: {
    type: "counter",
    help: "Refusals by the code of their problem",
    labels: ["http_route", "code"],
  },
  frontdesk_cache_requests_total: {
    type: "counter",
    help: "Requests to routes with a cache: hit, stale, miss or bypass",
    labels: ["http_route", "result"],
  },
  frontdesk_request_bytes_total: { type: "counter", help: "Bytes of request bodies", labels: ["http_route"] },
  frontdesk_response_bytes_total: { type: "counter", help: "Bytes of response bodies", labels: ["http_route"] },
  http_client_request_duration_seconds: {
    type: "histogram",
    help: "An attempt at a backend, to the head of its answer",
    labels: ["server_address", "status_class"],
  },
  frontdesk_retries_total: { type: "counter", help: "Attempts after a request's first", labels: ["http_route"] },
} as const satisfies Record<string, MetricKind>;

export type MetricName = keyof typeof METRICS;

/** Requests that no route took, and those to the gateway itself. */
export const NO_ROUTE = "(none)";

/** A series as stores know it: `name{label="value"}`. `values` are in the order of the metric's labels. */
export function seriesOf(name: MetricName, values: readonly string[]): string {
  const labels = METRICS[name].labels.map((label, index) => `${label}="${escaped(values[index]!)}"`);
  return `${name}{${labels.join(",")}}`;
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details */
function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (found) => (found === "\n" ? "\\n" : `\\${found}`));
}
