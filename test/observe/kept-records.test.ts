/** What is kept of requests in the log store: what goes first, and how little an attack can make of it. */
import { expect, test } from "vitest";
import { ok } from "#lib/contract/stores/reply.ts";
import { createKeptRecords, type KeptRecord } from "#lib/observe/kept-records.ts";
import { recordOf } from "./record.ts";

const asIs = <T>(record: T): T => record;

function keeping() {
  const kept: KeptRecord[] = [];
  const append = (_: string, value: unknown) => {
    kept.push(value as KeptRecord);
    return ok(undefined);
  };
  const records = createKeptRecords({ append, page: () => ok({ items: [], next: undefined }) });
  return { kept, flush: records.flush, add: (fields: Parameters<typeof recordOf>[0]) => records.add(recordOf(fields), asIs) };
}

test("the line of the log, and what each step said", async () => {
  const { kept, add, flush } = keeping();
  const steps = [{ policy: "auth", verdict: "refused", code: "credentials-invalid", reason: "expired", ms: 0.2 }] as const;
  add({ requestId: "r1", status: 401, source: "gateway", code: "credentials-invalid", reason: "expired", steps, attempts: [] });
  expect(kept).toEqual([]);
  await flush();
  expect(kept).toMatchObject([{ requestId: "r1", status: 401, code: "credentials-invalid", path: "/orders", steps }]);
  await flush();
  expect(kept).toHaveLength(1);
});

test("a flood of one refusal displaces neither other refusals nor failures", async () => {
  const { kept, add, flush } = keeping();
  for (let i = 0; i < 10_000; i++) add({ status: 429, source: "gateway", code: "rate-limited" });
  for (let i = 0; i < 10_000; i++) add({ durationMs: 1 });
  add({ status: 401, source: "gateway", code: "credentials-invalid" });
  add({ status: 502, source: "gateway", code: "backend-unreachable" });
  await flush();
  const counts = Map.groupBy(kept, ({ status }) => status);
  expect(counts.get(429)!.length).toBe(10);
  expect(counts.get(200)!.length).toBe(10);
  expect(counts.get(401)).toHaveLength(1);
  expect(counts.get(502)).toHaveLength(1);
});

test("ordinary answers of many routes leave room for what failed", async () => {
  const { kept, add, flush } = keeping();
  for (let i = 0; i < 1_000; i++) add({ route: `/r${i}` });
  for (let i = 0; i < 20; i++) add({ route: `/r${i}`, status: 500 });
  add({ durationMs: 5_000, route: "/slow" });
  await flush();
  expect(kept.filter(({ status }) => status === 500)).toHaveLength(20);
  expect(kept.filter(({ route }) => route === "/slow")).toHaveLength(1);
  expect(kept.filter(({ status, route }) => status === 200 && route !== "/slow")).toHaveLength(50);
});

test("a batch has a bound, whatever is refused on how many routes", async () => {
  const { kept, add, flush } = keeping();
  for (let i = 0; i < 5_000; i++) add({ route: `/r${i}`, status: 404, source: "gateway", code: "route-not-found" });
  await flush();
  expect(kept).toHaveLength(200);
});
