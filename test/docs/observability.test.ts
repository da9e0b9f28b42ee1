/** docs/observability.md: the table of fields is that of the line, and its config is one. */
import { expect, test } from "vitest";
import type { RequestRecord } from "#lib/contract/record.ts";
import { requestLine } from "#lib/observe/request-line.ts";
import { blocksOf, readDocument, rowsOf } from "./documents.ts";

const page = readDocument("docs/observability.md");

const RECORD: RequestRecord = {
  status: 504,
  source: "gateway",
  code: "backend-timeout",
  aborted: true,
  bytesIn: 1,
  bytesOut: 2,
  durationMs: 3,
  startedAt: 0,
  requestId: "a",
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  method: "GET",
  path: "/a",
  host: "a.example",
  clientIp: "192.0.2.7",
  frontend: undefined,
  route: "/a",
  consumer: "web:ada",
  cacheStatus: "frontdesk; fwd=uri-miss",
  reason: "idle time-out",
  steps: [],
  attempts: [{ target: "http://a.example", status: 200, wasSent: true, ms: 1 }],
  mirror: "sent",
};

test("the table has every field of a line, and no other", () => {
  const table = page.text.split("### Fields")[1]!.split("\n## ")[0]!.split("\nQueries")[0]!;
  const named = rowsOf(table).flatMap(([names = ""]) => [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(named.sort()).toEqual(Object.keys(requestLine(RECORD, RECORD)).sort());
});

test("the example is a line, with fields in their order", () => {
  const [example] = blocksOf(page).filter(({ language }) => language === "json");
  const { frontend: _, ...rest } = RECORD;
  const order = Object.keys(requestLine({ ...rest, frontend: undefined }, RECORD));
  const shown = Object.keys(JSON.parse(example!.text) as object);
  expect(shown).toEqual(order.filter((name) => shown.includes(name)));
});

test.each<[Partial<RequestRecord>, string]>([
  [{ code: "internal", status: 500 }, "error"],
  [{ code: "backend-timeout", status: 504 }, "warn"],
  [{ code: "rate-limited", status: 429 }, "info"],
  [{ code: undefined, status: 503, source: "backend" }, "info"],
])("the level of %j is %s", (record, level) => {
  expect(requestLine({ ...RECORD, ...record }, RECORD).level).toBe(level);
});
