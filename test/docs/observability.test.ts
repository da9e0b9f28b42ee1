/** docs/observability.md: the table of fields is that of the line, and its config is one. */
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { PROBLEMS } from "#lib/contract/problem.ts";
import type { RequestRecord } from "#lib/contract/record.ts";
import { METRICS, type MetricName } from "#lib/observe/metric-names.ts";
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

describe("metrics", () => {
  test("the table has every metric with its kind and labels", () => {
    const table = page.text.split("## Metrics")[1]!.split("\n## ")[0]!;
    const told = rowsOf(table).map(([name = "", kind = "", labels = ""]) => [
      name.replaceAll("`", ""),
      { type: kind, labels: labels.replaceAll("`", "").split(", ") },
    ]);
    expect(Object.fromEntries(told)).toEqual(
      Object.fromEntries(Object.entries(METRICS).map(([name, { type, labels }]) => [name, { type, labels }])),
    );
  });

  /** Every selector of a PromQL expression: the series that it reads, and the labels that it names. */
  function expectKnown(expression: string): void {
    const names = [...expression.matchAll(/\b((?:frontdesk|http)_\w+?)(_bucket|_count|_sum)?(?=[{[,)\s])/g)];
    const metrics = names.filter(([whole]) => whole.includes("_total") || whole.includes("_seconds"));
    expect(metrics.length, expression).toBeGreaterThan(0);
    for (const [, name = "", suffix] of metrics) {
      expect(Object.keys(METRICS), expression).toContain(name);
      const { type } = METRICS[name as MetricName];
      expect(suffix !== undefined, `${name}${suffix ?? ""}`).toBe(type === "histogram");
    }
    const labels = new Set(metrics.flatMap(([, name]) => [...METRICS[name as MetricName].labels, "le"] as string[]));
    const used = [...expression.matchAll(/by \(([^)]+)\)/g)].flatMap(([, list = ""]) => list.split(", "));
    const matched = [...expression.matchAll(/(\w+)=~?"/g)].map(([, label = ""]) => label);
    for (const label of [...used, ...matched]) expect(labels, expression).toContain(label);
    for (const [, codes = ""] of expression.matchAll(/\bcode=~?"([^"]+)"/g))
      for (const code of codes.split("|")) expect(Object.keys(PROBLEMS)).toContain(code);
  }

  test("the alert rules use only metrics, labels and codes that there are", () => {
    const rules = parse(readDocument("docs/prometheus/alerts.yaml").text) as { groups: { rules: { expr: string }[] }[] };
    const expressions = rules.groups.flatMap((group) => group.rules.map(({ expr }) => expr));
    expect(expressions.length).toBeGreaterThanOrEqual(5);
    for (const expression of expressions) expectKnown(expression);
  });

  test("the dashboard does, too", () => {
    const { panels } = JSON.parse(readDocument("docs/prometheus/grafana-dashboard.json").text) as {
      panels: { targets: { expr: string }[] }[];
    };
    for (const { expr } of panels.flatMap(({ targets }) => targets)) expectKnown(expr);
    const shown = JSON.stringify(panels);
    for (const name of Object.keys(METRICS)) expect(shown).toContain(name);
  });
});
