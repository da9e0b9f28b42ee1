/** One line of the request log, as data. Its fields are documented in docs/observability.md; a test holds the two together. */
import type { AttemptRecord, RequestRecord } from "../contract/record.ts";
import type { RedactedFields } from "./redaction.ts";

/** Of the schema: a field that changes its meaning or goes makes the next one. New fields do not. */
export const LINE_VERSION = 1;

export type Level = "info" | "warn" | "error";

/** The value as it goes into JSON. Fields without a value are absent. */
export interface RequestLine {
  /** When the answer had ended: ISO 8601, UTC. */
  readonly time: string;
  readonly level: Level;
  readonly message: "request";
  readonly v: typeof LINE_VERSION;
  readonly requestId: string;
  /** Of W3C trace context: 32 hexadecimal digits. */
  readonly traceId: string;
  readonly method: string;
  readonly host: string | undefined;
  readonly path: string;
  readonly route: string | undefined;
  readonly consumer: string | undefined;
  readonly clientIp: string | undefined;
  readonly status: number;
  readonly source: RequestRecord["source"];
  readonly code: string | undefined;
  readonly reason: string | undefined;
  readonly cacheStatus: string | undefined;
  readonly aborted: true | undefined;
  readonly attempts: readonly AttemptRecord[] | undefined;
  readonly mirror: string | undefined;
  readonly durationMs: number;
  /** The time of all attempts together. */
  readonly backendMs: number | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export function requestLine(record: RequestRecord, shown: RedactedFields): RequestLine {
  const { attempts, durationMs, startedAt } = record;
  return {
    time: new Date(startedAt + durationMs).toISOString(),
    level: levelOf(record),
    message: "request",
    v: LINE_VERSION,
    requestId: record.requestId,
    traceId: record.traceparent.slice(3, 35),
    method: record.method,
    host: shown.host,
    path: shown.path,
    route: record.route,
    consumer: shown.consumer,
    clientIp: shown.clientIp,
    status: record.status,
    source: record.source,
    code: record.code,
    reason: shown.reason,
    cacheStatus: record.cacheStatus,
    aborted: record.aborted || undefined,
    attempts: attempts.length === 0 ? undefined : attempts.map(attemptLine),
    mirror: record.mirror,
    durationMs: rounded(durationMs),
    backendMs: attempts.length === 0 ? undefined : rounded(attempts.reduce((sum, { headMs, ms }) => sum + (headMs ?? ms), 0)),
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
  };
}

/** `error` is a bug of the gateway, `warn` a failure of what is behind it. A refusal is the gateway at its work. */
export function levelOf({ code, source, status }: Pick<RequestRecord, "code" | "source" | "status">): Level {
  if (code === "internal") return "error";
  return source === "gateway" && code !== undefined && status >= 500 ? "warn" : "info";
}

function attemptLine(attempt: AttemptRecord): AttemptRecord {
  const { headMs, ms } = attempt;
  return { ...attempt, ...(headMs !== undefined && { headMs: rounded(headMs) }), ms: rounded(ms) };
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
