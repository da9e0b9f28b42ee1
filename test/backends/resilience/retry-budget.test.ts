/** What the budget lets through, by a clock that the test turns. */
import { expect, test } from "vitest";
import { RetryBudget } from "#lib/backends/resilience/retry-budget.ts";

const SHARE = 0.2;

/** Requests at a backend for each that was sent, where all fail and each may be sent three times. */
function amplification(perSecond: number, healthySeconds: number, outageSeconds: number): number {
  const budget = new RetryBudget();
  const sent = outageSeconds * perSecond;
  let retries = 0;
  for (let i = 0; i < healthySeconds * perSecond + sent; i++) {
    const nowMs = 1_800_000_000_000 + (i * 1000) / perSecond;
    budget.count(nowMs);
    if (i < healthySeconds * perSecond) continue;
    for (let attempt = 1; attempt < 3 && budget.take(SHARE, nowMs); attempt++) retries++;
  }
  return (sent + retries) / sent;
}

test.each([
  [200, 60],
  [200, 10],
  [50, 60],
  [1000, 30],
])("%d a second: an outage of %d s brings at most the budget and a tenth", (perSecond, outageSeconds) => {
  const times = amplification(perSecond, 30, outageSeconds);
  expect(times).toBeGreaterThan(1 + SHARE * 0.99);
  expect(times).toBeLessThanOrEqual((1 + SHARE) * 1.1);
});

test("a stock lets all requests of a while be sent again, and is not kept for long", () => {
  const budget = new RetryBudget();
  const startMs = 1_800_000_000_000;
  const taken = (nowMs: number) => {
    let count = 0;
    while (budget.take(SHARE, nowMs)) count++;
    return count;
  };
  for (let i = 0; i < 100; i++) budget.count(startMs + i * 100);
  // What the last five seconds earned, and the five that are always there.
  expect(taken(startMs + 9_900)).toBe(10 + 5);
  for (let i = 0; i < 100; i++) budget.count(startMs + 10_000 + i * 100);
  // An hour later the first request is all that counts.
  budget.count(startMs + 3_600_000);
  expect(taken(startMs + 3_600_000)).toBe(5);
});

test("with hardly any traffic, and with a share of nothing, one comes back every two seconds", () => {
  const budget = new RetryBudget();
  for (let i = 0; i < 5; i++) expect(budget.take(0, 1_000_000)).toBe(true);
  expect(budget.take(0, 1_001_999)).toBe(false);
  expect([budget.take(0, 1_002_000), budget.take(0, 1_002_000)]).toEqual([true, false]);
});
