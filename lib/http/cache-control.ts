/**
 * What caches in front of the gateway are told about an answer that only one caller should see: the CDN fields forbid storing
 * it (RFC 9213), and the backend's Cache-Control reaches the browser with what would let a shared cache keep it taken out.
 */
const NOT_SHARED = "private, no-store";

/** Cache-Control for the caller's own browser (RFC 9111 section 5.2.2): `public` and `s-maxage` become `private`. */
export function forOneCaller(cacheControl: string | undefined): string {
  if (cacheControl === undefined) return NOT_SHARED;
  if (!/public|s-maxage|surrogate/i.test(cacheControl)) return cacheControl;
  const kept = cacheControl
    .split(",")
    .map((directive) => directive.trim())
    .filter((directive) => directive !== "" && !/^(?:public|s-maxage)\b/i.test(directive));
  if (!kept.some((directive) => /^(?:private|no-store)\b/i.test(directive))) kept.unshift("private");
  return kept.join(", ");
}

/** Appends the fields that keep CDNs from storing an answer. */
export function forbidSharedCaches(pairs: string[]): void {
  pairs.push("cdn-cache-control", "no-store", "vercel-cdn-cache-control", "no-store");
}
