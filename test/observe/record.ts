/** A record of a request, for tests of what reads records. */
import type { RequestRecord } from "#lib/contract/record.ts";

export function recordOf(fields: Partial<RequestRecord> = {}): RequestRecord {
  return {
    status: 200,
    source: "backend",
    code: undefined,
    aborted: false,
    bytesIn: 0,
    bytesOut: 100,
    durationMs: 12,
    startedAt: 1_800_000_000_000,
    requestId: "a",
    traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    method: "GET",
    path: "/orders",
    host: "a.example",
    clientIp: "192.0.2.7",
    frontend: undefined,
    route: "/orders",
    consumer: undefined,
    cacheStatus: undefined,
    reason: undefined,
    steps: [],
    attempts: [{ target: "https://orders.example.com", status: 200, wasSent: true, ms: 11 }],
    ...fields,
  };
}
