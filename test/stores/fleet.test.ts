/** Fifty clients, four processes, one Redis: no window holds more than its limit. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MAX_LEASE } from "#lib/stores/leased-counters.ts";
import { startUpstash, type UpstashUnderTest } from "../support/redis/upstash-under-test.ts";
import { CLIENTS, CONTESTED, FLEET_RULES, type FleetReport, PROCESSES, WINDOW_MS } from "./fleet-rules.ts";

type Window = { readonly endMs: number; readonly allowed: number; readonly refused: number };

let upstash: UpstashUnderTest;
let children: ChildProcess[] = [];
const windows = new Map<string, Window[]>();
beforeAll(async () => {
  upstash = await startUpstash();
  const worker = new URL("./fleet-worker.ts", import.meta.url).pathname;
  const { url, token } = upstash.bridge;
  children = Array.from({ length: PROCESSES }, (_, index) => fork(worker, [url, token, "fd:fleet:", String(index)]));
  await Promise.all(children.map((child) => once(child, "message")));
  const reports = children.map(async (child) => {
    child.send("go");
    const [report] = (await once(child, "message")) as [FleetReport];
    return report;
  });
  const all = await Promise.all(reports);
  for (const name of Object.keys(FLEET_RULES)) {
    const ends = [...new Set(all.flatMap((report) => Object.keys(report[name] ?? {})))].sort();
    const sum = (end: string, what: "allowed" | "refused") =>
      all.reduce((total, report) => total + (report[name]?.[end]?.[what] ?? 0), 0);
    windows.set(
      name,
      ends.map((end) => ({ endMs: Number(end), allowed: sum(end, "allowed"), refused: sum(end, "refused") })),
    );
  }
}, 60_000);
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await upstash.stop();
});

const contested = (name: string) => windows.get(name)!.filter(({ refused }) => refused > 0);

describe(`${CLIENTS} clients, ${PROCESSES} processes`, () => {
  test("a fixed window is spent to the last unit and not one more", () => {
    expect(contested("fixed").length).toBeGreaterThanOrEqual(CONTESTED);
    for (const { allowed } of windows.get("fixed")!) expect(allowed).toBeLessThanOrEqual(FLEET_RULES.fixed.rule.limit);
    for (const { allowed } of contested("fixed")) expect(allowed).toBe(FLEET_RULES.fixed.rule.limit);
  });

  test("a sliding window never counts more than its limit in any window", () => {
    expect(contested("sliding").length).toBeGreaterThanOrEqual(CONTESTED);
    for (const { allowed } of windows.get("sliding")!) expect(allowed).toBeLessThanOrEqual(FLEET_RULES.sliding.rule.limit);
  });

  test("a bucket gives what it holds and what has come since, over any stretch of time", () => {
    const all = windows.get("bucket")!;
    const { limit, refill } = FLEET_RULES.bucket.rule;
    expect(contested("bucket").length).toBeGreaterThanOrEqual(CONTESTED);
    for (const [from, first] of all.entries()) {
      let spent = 0;
      for (const { endMs, allowed } of all.slice(from)) {
        spent += allowed;
        expect(spent).toBeLessThanOrEqual(limit + ((endMs - first.endMs) / WINDOW_MS) * refill);
      }
    }
  });

  test("by lease it is never more than the limit, and less by no more than a lease for each process", () => {
    const { limit } = FLEET_RULES.leased.rule;
    expect(contested("leased").length).toBeGreaterThanOrEqual(CONTESTED);
    for (const { allowed } of windows.get("leased")!) expect(allowed).toBeLessThanOrEqual(limit);
    const held = PROCESSES * Math.min(MAX_LEASE, limit / 8);
    for (const { allowed } of contested("leased")) expect(allowed).toBeGreaterThanOrEqual(limit - held);
  });
});
