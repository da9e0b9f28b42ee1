/** What a lax parser lets pass although another could read it differently: refused before anything is decided, and the connection ended. */
import { isHost } from "./host.ts";
import type { RequestFacts } from "./sanitize-headers.ts";
import { authorityOf } from "./target.ts";

/** In words for the problem, or undefined. Malformed fields and lengths have been refused by the parser before. */
export function requestFault(
  { httpVersion, target }: { readonly httpVersion: string; readonly target: string },
  { host, hosts, transferEncoding }: RequestFacts,
): string | undefined {
  if (httpVersion !== "1.1" && httpVersion !== "1.0") return "a version other than HTTP/1.0 and HTTP/1.1";
  // RFC 9112 section 3.2: two Host lines, or one that is no host, get 400. Which of two would the backend believe?
  if (hosts > 1 || (host && !isHost(host))) return "a Host that is not one host";
  if (transferEncoding !== undefined) {
    // Any other coding would have to be undone here, since the field goes no further (RFC 9112 section 6.1); HTTP/1.0 had none.
    const isChunked = transferEncoding.trim().toLowerCase() === "chunked";
    if (!isChunked || httpVersion === "1.0") return "a Transfer-Encoding other than chunked";
  }
  const authority = authorityOf(target);
  return authority !== undefined && !isHost(authority) ? "an authority in the target that is not one host" : undefined;
}
