/** A bad day, shortened; run-bad-day.ts has the whole of it. */
import { expect, test } from "vitest";
import { liveThrough } from "./bad-day.ts";

test("one of three targets fails in each way: callers whose request may be repeated notice nothing, and nothing is done twice", async () => {
  const report = await liveThrough({
    requestsPerSecond: 60,
    ailments: ["killed", "hung", "resetting", "failing"],
    illMs: 1500,
    wellMs: 500,
    outageMs: 0,
  });
  expect(report.failures).toEqual({});
  expect(report.served).toBeGreaterThan(100);
  expect(report.posts).toBeGreaterThan(30);
  expect(report.postsExecutedTwice).toBe(0);
  expect(report.returns.map(({ ailment }) => ailment)).toEqual(["killed", "hung", "resetting", "failing"]);
}, 60_000);
