import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatSize,
  parseByteRate,
  parseCalendarRate,
  parseDurationMs,
  parseRate,
  parseSizeBytes,
} from "../../lib/config/units.ts";

describe("units", () => {
  test.each([
    ["250ms", 250],
    ["10s", 10_000],
    ["1.5s", 1500],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["30d", 2_592_000_000],
    ["0s", 0],
  ])("%s is %i ms", (text, ms) => expect(parseDurationMs(text)).toBe(ms));

  test.each(["", "10", "s", "10 s", "-1s", "1e3s", "1w", "0.3ms", "10S", "9007199254740993ms"])("%j is no duration", (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  });

  test.each([
    ["64kb", 65_536],
    ["4.5mb", 4_718_592],
    ["4MB", 4_194_304],
    ["1gb", 1_073_741_824],
    ["12b", 12],
  ])("%s is %i bytes", (text, bytes) => expect(parseSizeBytes(text)).toBe(bytes));

  test.each(["", "4", "4m", "-4mb", "0.3b", "4 mb", "4kib"])("%j is no size", (text) =>
    expect(parseSizeBytes(text)).toBeUndefined(),
  );

  test("a size is told as it can be written", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (bytes) => {
        expect(parseSizeBytes(formatSize(bytes))).toBe(bytes);
      }),
    );
  });

  test.each([
    ["100/m", 100, 60_000],
    ["100/min", 100, 60_000],
    ["100/1m", 100, 60_000],
    ["5 / 15m", 5, 900_000],
    ["10/s", 10, 1000],
    ["1/31d", 1, 31 * 86_400_000],
  ])("the rate %s", (text, amount, windowMs) => expect(parseRate(text)).toEqual({ amount, windowMs }));

  test.each([
    "0/m",
    "-1/m",
    "1.5/m",
    "1/0s",
    "1/32d",
    "1/ms",
    "1/100ms",
    "1/month",
    "/m",
    "1/",
    "1m",
    "1000000000000000/m",
    "tier",
  ])("%s is no rate", (text) => expect(parseRate(text)).toBeUndefined());

  test("a quota", () => {
    expect(parseCalendarRate("10000/month")).toEqual({ amount: 10_000, per: "month" });
    expect(parseCalendarRate("1/day")).toEqual({ amount: 1, per: "day" });
    for (const text of ["0/day", "1/week", "1/2day", "1/d"]) expect(parseCalendarRate(text)).toBeUndefined();
  });
});

test.each([
  ["240b/s", 240],
  ["1kb/s", 1024],
  [" 1.5mb/s ", 1_572_864],
  ["0b/s", undefined],
  ["1kb", undefined],
  ["1kb/m", undefined],
  ["/s", undefined],
])("%s bytes in a second", (text, bytes) => expect(parseByteRate(text)).toBe(bytes));
