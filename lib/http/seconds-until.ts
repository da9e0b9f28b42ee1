/** What Retry-After says (RFC 9110 section 10.2.3), and `t` of RateLimit. */

/** Whole seconds until then, never 0: a caller that comes back at once would be refused again. */
export function secondsUntil(ms: number, nowMs: number): number {
  return Math.max(1, Math.ceil((ms - nowMs) / 1000));
}
