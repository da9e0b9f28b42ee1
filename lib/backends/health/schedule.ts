/** Active checks on Vercel, where a scheduler has to ask for them. */

/** Where a scheduler asks. */
export const CHECKS_PATH = "/gateway/health/checks";

const HELD_INTERVALS = 3;
const MIN_HELD_MS = 180_000;

/** For how long it counts that a target has failed its checks, where nobody checks it again. */
export function findingTtlMs(intervalMs: number): number {
  return Math.max(HELD_INTERVALS * intervalMs, MIN_HELD_MS);
}
