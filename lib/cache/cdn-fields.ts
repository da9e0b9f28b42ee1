/** What caches in front of the gateway are told about an answer that they may give to everybody: RFC 9213, and Vercel's own fields. */
import type { StoredAnswer } from "./entry.ts";
import type { Freshness } from "./freshness.ts";

/** Of an answer that the gateway itself could store: everything else is told `no-store`. */
export function cdnFields(answer: Pick<StoredAnswer, "cacheControl" | "freshness" | "tags">, cdn: boolean | number): string[] {
  const { cacheControl, freshness, tags } = answer;
  const control = forCdn(freshness, typeof cdn === "number" ? cdn : undefined);
  const pairs = [
    // Browsers: the backend's word, or to ask each time, which a CDN answers.
    "cache-control",
    cacheControl ?? "public, max-age=0, must-revalidate",
    "cdn-cache-control",
    control,
    // Vercel prefers its own field and takes it away; others never see it.
    "vercel-cdn-cache-control",
    control,
  ];
  const named = tags.flatMap((tag) => (tag.startsWith("tag:") ? [tag.slice(4)] : []));
  if (named.length > 0) pairs.push("vercel-cache-tag", named.join(","));
  return pairs;
}

/** A CDN subtracts Age itself (RFC 9111 section 4.2.3), so the lifetime stands whole. */
function forCdn(
  { lifetimeMs, staleWhileRevalidateMs, staleIfErrorMs, alwaysValidate, initialAgeMs }: Freshness,
  ownMs: number | undefined,
) {
  if (alwaysValidate) return "no-store";
  const seconds = (ms: number) => Math.floor(ms / 1000);
  // With a time of its own, Age of an earlier cache must not eat it up.
  const parts = [`max-age=${seconds(ownMs === undefined ? lifetimeMs : ownMs + initialAgeMs)}`];
  if (staleWhileRevalidateMs > 0) parts.push(`stale-while-revalidate=${seconds(staleWhileRevalidateMs)}`);
  if (staleIfErrorMs > 0) parts.push(`stale-if-error=${seconds(staleIfErrorMs)}`);
  return parts.join(", ");
}
