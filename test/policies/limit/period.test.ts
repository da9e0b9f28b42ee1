import { describe, expect, test } from "vitest";
import { periodAt } from "#lib/policies/limit/period.ts";

const at = (text: string) => Date.parse(text);
const shown = (per: "day" | "month", anchor: string | null, now: string) => {
  const { startMs, endMs } = periodAt(per, anchor === null ? null : at(anchor) / 1000, at(now));
  return [startMs, endMs].map((ms) => new Date(ms).toISOString().replace(".000Z", "Z"));
};

describe("periods", () => {
  test.each([
    ["day", null, "2027-03-01T12:00:00Z", "2027-03-01T00:00:00Z", "2027-03-02T00:00:00Z"],
    ["day", "2027-01-01T06:30:00Z", "2027-03-01T06:29:59Z", "2027-02-28T06:30:00Z", "2027-03-01T06:30:00Z"],
    ["month", null, "2027-02-28T23:59:59Z", "2027-02-01T00:00:00Z", "2027-03-01T00:00:00Z"],
    ["month", null, "2027-03-01T00:00:00Z", "2027-03-01T00:00:00Z", "2027-04-01T00:00:00Z"],
    ["month", "2027-01-15T00:00:00Z", "2027-03-14T23:59:59Z", "2027-02-15T00:00:00Z", "2027-03-15T00:00:00Z"],
    ["month", "2027-01-31T10:00:00Z", "2027-02-28T09:59:59Z", "2027-01-31T10:00:00Z", "2027-02-28T10:00:00Z"],
    ["month", "2027-01-31T10:00:00Z", "2027-02-28T10:00:00Z", "2027-02-28T10:00:00Z", "2027-03-31T10:00:00Z"],
    ["month", "2027-01-31T10:00:00Z", "2028-02-29T10:00:00Z", "2028-02-29T10:00:00Z", "2028-03-31T10:00:00Z"],
    // Before the anchor, too.
    ["month", "2027-06-15T00:00:00Z", "2027-01-10T00:00:00Z", "2026-12-15T00:00:00Z", "2027-01-15T00:00:00Z"],
  ] as const)("%s from %s at %s", (per, anchor, now, start, end) => expect(shown(per, anchor, now)).toEqual([start, end]));

  test("follow each other without a gap, and hold the time they were asked for", () => {
    for (const anchor of [null, "2024-01-29T03:00:00Z", "2024-01-31T23:59:59Z"]) {
      let ms = at("2026-01-01T00:00:00Z");
      for (let i = 0; i < 60; i++) {
        const period = periodAt("month", anchor === null ? null : at(anchor) / 1000, ms);
        expect(period.startMs).toBeLessThanOrEqual(ms);
        expect(period.endMs).toBeGreaterThan(ms);
        expect(periodAt("month", anchor === null ? null : at(anchor) / 1000, period.endMs).startMs).toBe(period.endMs);
        ms = period.endMs + i * 1000;
      }
    }
  });
});
