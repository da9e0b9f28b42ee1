/** The line for a person, and text in it that would steer the terminal. */
import { expect, test } from "vitest";
import type { RequestRecord } from "#lib/contract/record.ts";
import { prettyLine } from "#lib/observe/pretty-line.ts";

function line(record: Partial<RequestRecord>): string {
  const whole = {
    method: "GET",
    path: "/orders",
    status: 200,
    source: "backend",
    durationMs: 1.234,
    attempts: [],
    aborted: false,
    ...record,
  } as RequestRecord;
  return prettyLine(whole, whole);
}

test.each<[Partial<RequestRecord>, string]>([
  [{}, "GET  /orders 200 1.2 ms"],
  [{ method: "DELETE", status: 204, durationMs: 1234.5, consumer: "web:ada" }, "DELETE /orders 204 1235 ms  web:ada"],
  [
    { status: 401, source: "gateway", code: "credentials-invalid", reason: 'the audience is "b"' },
    'GET  /orders 401 1.2 ms  credentials-invalid: the audience is "b"',
  ],
  [{ source: "cache", cacheStatus: "frontdesk; hit; ttl=9" }, "GET  /orders 200 1.2 ms  frontdesk; hit; ttl=9"],
  [{ status: 0, aborted: true }, "GET  /orders --- 1.2 ms  the caller has gone"],
  [{ attempts: [{}, {}] as unknown as RequestRecord["attempts"] }, "GET  /orders 200 1.2 ms  2 attempts"],
])("%j", (record, expected) => {
  expect(line(record)).toBe(expected);
});

test("control characters and changes of direction are shown, not carried out", () => {
  expect(line({ path: "/\u001b[2J\r\nGET", reason: "\u009b31m\u202ex", code: "bad-request", status: 400 })).toBe(
    "GET  /\\x1b[2J\\x0d\\x0aGET 400 1.2 ms  bad-request: \\x9b31m\\x202ex",
  );
});
