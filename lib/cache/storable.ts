/** Whether an answer may be kept and given to others: RFC 9111 sections 3 and 3.5, and what this gateway never shares. */

import type { CacheOptions } from "../contract/caching.ts";
import { type Directives, fieldsOf, listOf, parseDirectives } from "../http/cache-directives.ts";
import { isRebuilt } from "../http/field-kinds.ts";
import type { HeaderList } from "../http/header-list.ts";
import { type Freshness, freshnessOf, HEURISTIC, type Times } from "./freshness.ts";

/** An answer's head as far as a cache is concerned. */
export interface AnswerFacts {
  readonly status: number;
  readonly headers: HeaderList;
  readonly cacheControl: string | undefined;
  /** What it said to shared caches alone, which takes the place of Cache-Control for us (RFC 9213 section 2.2). */
  readonly targeted: string | undefined;
  /** False where only the end of the connection ends the body: a cut one can't be told from a whole one (RFC 9112 section 8). */
  readonly isFramed: boolean;
}

export interface AskedBy {
  /** Whether the request bore credentials that the key does not tell apart. */
  readonly isAuthenticated: boolean;
  /** Whether it bore cookies that the key does not tell apart, and that the config does not say to ignore. */
  readonly hasCookies: boolean;
  readonly forbidsStoring: boolean;
}

export interface Storable {
  readonly freshness: Freshness;
  /** Names of request fields by which it was chosen, in lower case, sorted. */
  readonly vary: readonly string[];
  /** Fields that may not be used again without asking (`no-cache="set-cookie"`). */
  readonly leaveOut: readonly string[];
  readonly isPublic: boolean;
}

/** Statuses whose meaning for caches we know (section 3, must-understand). 206 and 304 are no whole answers. */
const UNDERSTOOD = new Set([
  200, 203, 204, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 410, 414, 500, 501, 502, 503, 504,
]);

/** In words for the record and Cache-Status where it may not be stored. */
export function judgeAnswer(answer: AnswerFacts, asked: AskedBy, options: CacheOptions, times: Times): Storable | string {
  const { status, headers, targeted, cacheControl } = answer;
  const directives = parseDirectives(targeted ?? cacheControl);
  if (status === 206 || status === 304) return "partial";
  if (directives.has("must-understand")) {
    // Section 5.2.2.3: it then stands in for no-store.
    if (!UNDERSTOOD.has(status)) return "must-understand";
  } else if (directives.has("no-store")) return "no-store";
  if (asked.forbidsStoring) return "request-no-store";
  if (directives.has("private")) return "private";
  if (isStream(headers)) return "stream";
  if (!mayBeKept(answer, directives)) return "no-freshness";
  const leaveOut = fieldsOf(directives, "no-cache");
  // Somebody's session, to everybody. RFC 9111 would allow it (section 7.3 warns of it).
  if (headers.has("set-cookie") && !leaveOut.includes("set-cookie")) return "set-cookie";
  if (!answer.isFramed) return "unframed";
  const vary = [...new Set([...options.vary, ...listOf(headers.all("vary").join(",")), ...codingsOf(headers)])].sort();
  // What the gateway writes itself is not what the request said: two callers would look alike.
  if (vary.some((name) => name === "*" || isRebuilt(name))) return "vary";
  // Section 3.5: only these words let an answer to one who showed credentials be given to others.
  const isPublic = ["public", "s-maxage", "must-revalidate"].some((name) => directives.has(name));
  if (asked.isAuthenticated && !isPublic) return "authorization";
  const freshness = freshnessOf(status, headers, directives, options, times);
  // Nobody but the config said that it is for others, and a backend that knows callers by a cookie often forgets to say that it does.
  if (asked.hasCookies && freshness.isOurs && !vary.includes("cookie")) return "cookie";
  if (!isUseful(freshness, headers)) return "no-freshness";
  return { freshness, vary, leaveOut, isPublic };
}

/** What goes on for as long as its caller listens, and is often that caller's own: whatever its head says of freshness. */
const STREAMS = new Set(["text/event-stream", "multipart/x-mixed-replace"]);
/** What may be a document or a stream: with a length it has an end. */
const MAYBE_STREAMS = new Set([
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
  "application/json-seq",
  "application/stream+json",
]);

function isStream(headers: HeaderList): boolean {
  const type = (headers.get("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();
  return STREAMS.has(type) || (MAYBE_STREAMS.has(type) && !headers.has("content-length"));
}

/** A coding is chosen by Accept-Encoding (RFC 9110 section 12.5.3), also by a backend that does not say so in Vary. */
export function codingsOf(headers: HeaderList): readonly string[] {
  const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  return coding === "identity" || coding === "" ? [] : ["accept-encoding"];
}

/** Section 3: it says something of its freshness, or is of a status that may be kept without. Every `ttl` is for such statuses. */
function mayBeKept({ status, headers }: AnswerFacts, directives: Directives): boolean {
  if (HEURISTIC.has(status) || headers.has("expires")) return true;
  return ["public", "s-maxage", "max-age"].some((name) => directives.has(name));
}

/** Stale at once, without a validator and never to be used stale: nothing could be done with it. */
function isUseful(freshness: Freshness, headers: HeaderList): boolean {
  const { lifetimeMs, initialAgeMs, staleIfErrorMs, staleWhileRevalidateMs, alwaysValidate } = freshness;
  if (lifetimeMs > initialAgeMs && !alwaysValidate) return true;
  return headers.has("etag") || headers.has("last-modified") || staleIfErrorMs + staleWhileRevalidateMs > 0;
}
