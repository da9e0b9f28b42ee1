/** Conditions of a GET or HEAD, judged against a stored answer (RFC 9110 section 13). */
import type { HeaderList } from "./header-list.ts";
import { parseHttpDate } from "./http-date.ts";

export interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly lastModifiedMs: number | undefined;
  /** Stands in for Last-Modified where there is none (RFC 9111 section 4.3.2). */
  readonly dateMs: number;
}

/** True where the caller has this representation already: the answer is 304. In the order of RFC 9110 section 13.2.2. */
export function isNotModified(headers: HeaderList, { etag, lastModifiedMs, dateMs }: Validators, nowMs: number): boolean {
  const noneMatch = headers.get("if-none-match");
  if (noneMatch !== undefined) return matchesAny(headers.all("if-none-match").join(","), etag);
  const since = headers.get("if-modified-since");
  if (since === undefined) return false;
  const sinceMs = parseHttpDate(since, nowMs);
  return sinceMs !== undefined && (lastModifiedMs ?? dateMs) <= sinceMs;
}

/** If-Range (RFC 9110 section 13.1.5): true where the range may be served from this representation. */
export function allowsRange(headers: HeaderList, { etag, lastModifiedMs }: Validators, nowMs: number): boolean {
  const condition = headers.get("if-range");
  if (condition === undefined) return true;
  // Only what is the same byte for byte can be put together: a weak tag never matches (section 8.8.3.2).
  if (condition.startsWith('"')) return condition === etag;
  const ms = parseHttpDate(condition, nowMs);
  // A date is a strong validator only where it is not of the last minute (section 8.8.2.2).
  return ms !== undefined && ms === lastModifiedMs && nowMs - ms >= 60_000;
}

const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/** The weak comparison: whether the tags name the same content, not the same bytes. */
function matchesAny(list: string, etag: string | undefined): boolean {
  if (list.trim() === "*") return true;
  if (etag === undefined) return false;
  return (list.match(ENTITY_TAG) ?? []).some((tag) => opaque(tag) === opaque(etag));
}

/** An entity tag without its mark of weakness (RFC 9110 section 8.8.3). */
export function opaque(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}
