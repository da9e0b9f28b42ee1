/** Buckets of durations: where each falls, and what quantiles say of them. */
import { expect, test } from "vitest";
import { BUCKET_BOUNDS_MS, bucketOf, quantileMs } from "#lib/observe/duration-buckets.ts";

test("a duration is in the first bucket whose bound it does not exceed", () => {
  const byHand = (ms: number) => {
    const index = BUCKET_BOUNDS_MS.findIndex((bound) => ms <= bound * (1 + 1e-12));
    return index < 0 ? BUCKET_BOUNDS_MS.length : index;
  };
  for (let ms = 0; ms < 200; ms += 0.013) expect(bucketOf(ms), `${ms} ms`).toBe(byHand(ms));
  for (const [index, bound] of BUCKET_BOUNDS_MS.entries()) expect(bucketOf(bound)).toBe(index);
  expect(bucketOf(1e9)).toBe(BUCKET_BOUNDS_MS.length);
});

test("quantiles are those of the durations, within the width of a bucket", () => {
  const counts = new Array<number>(BUCKET_BOUNDS_MS.length + 1).fill(0);
  const durations = Array.from({ length: 1000 }, (_, i) => 1 + i / 5);
  for (const ms of durations) counts[bucketOf(ms)]!++;
  for (const share of [0.1, 0.5, 0.95, 0.99]) {
    const exact = durations[Math.ceil(share * 1000) - 1]!;
    expect(quantileMs(counts, share)! / exact).toBeGreaterThan(1 / Math.SQRT2);
    expect(quantileMs(counts, share)! / exact).toBeLessThan(Math.SQRT2);
  }
  expect(quantileMs([], 0.5)).toBeUndefined();
});
