/** What the service is asked about a request: its credentials, and the request line as the gateway saw it. */
import type { Exchange } from "../../contract/exchange.ts";
import { AMBIGUOUS, nameOfSource, readCredential } from "../../http/credential.ts";
import type { ForwardOptions } from "./options.ts";

export interface ForwardQuestion {
  /** Name, value, name, value. */
  readonly headers: readonly string[];
  /** Whether the request brought any of what `from` names. */
  readonly hasCredential: boolean;
  /** Two requests with one key may share a decision. Their ids are not in it. */
  readonly key: string;
}

type Asked = Pick<ForwardOptions, "sources" | "allCookies" | "including" | "cacheBy">;

/** For the record, where what the service would judge is not what a backend might take. */
export interface Ambiguity {
  readonly ambiguous: string;
}

export function questionOf(exchange: Exchange, { sources, allCookies, including, cacheBy }: Asked): ForwardQuestion | Ambiguity {
  const { request, target } = exchange;
  const credentials: string[] = [];
  const cookies: string[] = [];
  for (const source of sources) {
    const value = readCredential(request.headers, target.raw, source);
    if (value === AMBIGUOUS) return { ambiguous: `several credentials in ${nameOfSource(source)}` };
    if (value === undefined) continue;
    if (source.in === "cookie") cookies.push(`${source.name}=${value}`);
    else credentials.push(source.in === "header" ? source.name : "authorization", value);
  }
  // HTTP/2 splits cookies into fields; a service over HTTP/1.1 gets one (RFC 9113 section 8.2.3).
  const held = allCookies ? request.headers.all("cookie") : cookies;
  if (held.length > 0) credentials.push("cookie", held.join("; "));
  const included = including.flatMap((name) => request.headers.all(name).flatMap((value) => [name, value]));
  const hasCredential = credentials.length > 0;
  const { ip } = request.client;
  // Ours alone: a caller's own x-forwarded-* is not among what is handed on, so that none can pose as another address or path.
  const line = [
    "x-forwarded-method",
    request.method,
    "x-forwarded-proto",
    request.scheme,
    "x-forwarded-host",
    request.host,
    "x-forwarded-uri",
    target.raw,
    ...(ip === undefined ? [] : ["x-forwarded-for", ip]),
  ];
  const presented = [...credentials, ...included];
  // Without a credential it can only hang on the request itself, such as its address: that must not hold for everybody.
  const key = JSON.stringify(cacheBy === "credential" && hasCredential ? presented : [...presented, ...line]);
  return {
    headers: [...presented, ...line, "x-request-id", exchange.requestId, "traceparent", exchange.traceparent],
    hasCredential,
    key,
  };
}

/** A browser that opens a page, as it says itself (Fetch Metadata), else as it accepts: a script could not follow to a login. */
export function isNavigation({ request }: Exchange): boolean {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  const mode = request.headers.get("sec-fetch-mode");
  if (mode !== undefined) return mode === "navigate";
  return !request.headers.has("upgrade") && (request.headers.get("accept") ?? "").includes("text/html");
}
