/** Which requests the log holds: shares, rules by route and status, and what no share leaves out. */
import { expect, test } from "vitest";
import type { CompiledConfig } from "#lib/contract/compiled/config.ts";
import type { SampleRule } from "#lib/contract/compiled/observe.ts";
import type { RequestRecord } from "#lib/contract/record.ts";
import { createSampling } from "#lib/observe/sampling.ts";

const routes = [
  { id: "/orders", path: "/orders" },
  { id: "/orders#2", path: "/orders" },
  { id: "/health", path: "/health" },
] as unknown as CompiledConfig["routes"];

function isKept(rules: readonly SampleRule[], drawn: number, record: Partial<RequestRecord>): boolean {
  const whole = { status: 200, aborted: false, path: "/x", ...record } as RequestRecord;
  return createSampling(rules, { routes }, () => drawn)(whole);
}

test("without rules every request is kept, but the answer of health", () => {
  expect(isKept([], 0.99, {})).toBe(true);
  expect(isKept([], 0, { path: "/gateway/health" })).toBe(false);
  expect(isKept([], 0, { path: "/gateway/health", status: 503 })).toBe(true);
});

test("a share", () => {
  expect(isKept([{ share: 0.1 }], 0.09, {})).toBe(true);
  expect(isKept([{ share: 0.1 }], 0.1, {})).toBe(false);
  expect(isKept([{ share: 0 }], 0, {})).toBe(false);
  expect(isKept([{ share: 1 }], 0.999, {})).toBe(true);
});

test("the first rule that fits counts; a request that none fits is kept", () => {
  const rules: SampleRule[] = [
    { route: "/orders", statusClass: 2, share: 0.5 },
    { route: "/orders", share: 0 },
  ];
  expect(isKept(rules, 0.4, { route: "/orders#2" })).toBe(true);
  expect(isKept(rules, 0.6, { route: "/orders" })).toBe(false);
  expect(isKept(rules, 0, { route: "/orders", status: 404 })).toBe(false);
  expect(isKept(rules, 0.99, { route: "/health" })).toBe(true);
  expect(isKept(rules, 0.99, {})).toBe(true);
});

test.each<[string, Partial<RequestRecord>]>([
  ["refusals", { status: 429, code: "rate-limited" }],
  ["failures of a backend", { status: 503 }],
  ["answers that broke off", { aborted: true }],
])("%s are kept whatever the share", (_, record) => {
  expect(isKept([{ share: 0 }], 0.99, record)).toBe(true);
});
