/** A bad day, shortened, on both hosts; run-bad-day.ts has the whole of it. */
import { expect, test } from "vitest";
import { HOST_NAMES, type HostName } from "../support/host-process.ts";
import { liveThrough } from "./bad-day.ts";

/** Next costs several times the CPU. */
const PER_SECOND: Record<HostName, number> = { node: 60, vercel: 30 };

test.each(HOST_NAMES)(
  "one of three targets fails in each way: callers whose request may be repeated notice nothing, and nothing is done twice (%s)",
  async (host) => {
    const report = await liveThrough({
      host,
      requestsPerSecond: PER_SECOND[host],
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
  },
  90_000,
);
