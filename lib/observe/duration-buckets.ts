/** Buckets of a histogram of durations, each half as wide again on a logarithmic scale as the one before: √2 times. */

/** Upper bounds in milliseconds: 0.5 ms, 0.71 ms, 1 ms … 65.5 s. What is longer is in one more bucket. */
export const BUCKET_BOUNDS_MS: readonly number[] = Array.from({ length: 35 }, (_, index) => 0.5 * 2 ** (index / 2));

/** The index of the first bound that is not exceeded. */
export function bucketOf(ms: number): number {
  if (ms <= 0.5) return 0;
  // A duration on a bound must not go past it by rounding.
  const index = Math.ceil(2 * Math.log2(ms / 0.5) - 1e-9);
  return Math.min(index, BUCKET_BOUNDS_MS.length);
}

/**
 * The duration in milliseconds that this share of the counted ones does not exceed (0.95: p95), by linear interpolation inside of its
 * bucket, as Prometheus's `histogram_quantile` does. `counts` are by index; undefined where nothing was counted.
 */
export function quantileMs(counts: readonly number[], share: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let before = 0;
  for (let index = 0; index < counts.length; index++) {
    const count = counts[index]!;
    if (before + count >= share * total && count > 0) {
      const lower = index === 0 ? 0 : BUCKET_BOUNDS_MS[index - 1]!;
      const upper = BUCKET_BOUNDS_MS[index] ?? lower;
      return lower + ((upper - lower) * (share * total - before)) / count;
    }
    before += count;
  }
  return BUCKET_BOUNDS_MS.at(-1);
}
