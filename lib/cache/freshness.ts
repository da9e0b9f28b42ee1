/** How old an answer is and for how long it may be used: RFC 9111 section 4.2, RFC 5861. */

import type { CacheOptions } from "../contract/caching.ts";
import { type Directives, secondsOf } from "../http/cache-directives.ts";
import type { HeaderList } from "../http/header-list.ts";
import { parseHttpDate } from "../http/http-date.ts";

export interface Freshness {
  /** Its age when it arrived, and when that was. */
  readonly initialAgeMs: number;
  readonly receivedMs: number;
  readonly lifetimeMs: number;
  /** How long beyond its lifetime it may be used while a new one is fetched, and where none can be had. */
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** The lifetime is the config's `ttl`: the backend gave none, or was overridden. */
  readonly isOurs: boolean;
  /** Never used without asking the backend (`no-cache`). */
  readonly alwaysValidate: boolean;
}

export interface Times {
  readonly askedMs: number;
  readonly receivedMs: number;
}

/** Statuses that RFC 9110 section 15.1 lets a cache keep without being told for how long. */
export const HEURISTIC: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);
/**
 * Statuses that `ttl` is for. Not 400, 405, 414 and 5xx: a caller can provoke them by fields that are in no key (an oversized
 * one, a method override), and would switch a page off for everybody (cache-poisoned denial of service).
 */
const GIVEN_TTL: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 308, 404, 410]);
/** A tenth of the time since the last change, as RFC 9111 section 4.2.2 suggests, but at most this. */
const MAX_HEURISTIC_MS = 3_600_000;

export function ageMs({ initialAgeMs, receivedMs }: Freshness, nowMs: number): number {
  return initialAgeMs + Math.max(0, nowMs - receivedMs);
}

/** Milliseconds of freshness left; negative for how long it has been stale. */
export function leftMs(freshness: Freshness, nowMs: number): number {
  return freshness.lifetimeMs - ageMs(freshness, nowMs);
}

export function freshnessOf(
  status: number,
  headers: HeaderList,
  directives: Directives,
  options: CacheOptions,
  times: Times,
): Freshness {
  const { receivedMs } = times;
  const dateMs = dateOf(headers, receivedMs);
  const given = explicitMs(headers, directives, dateMs, receivedMs);
  const initialAgeMs = initialAge(headers, dateMs, times);
  const hasBadAge = initialAgeMs === undefined;
  const isOurs = options.ttlMs !== null && GIVEN_TTL.has(status) && (given === undefined || options.override);
  const lifetimeMs = isOurs ? options.ttlMs! : (given ?? heuristicMs(status, headers, directives, dateMs, receivedMs));
  const { whileRevalidateMs, ifErrorMs } = staleness(directives, options);
  return {
    // A `ttl` of ours counts from when we got it: another cache's time is not held against it.
    initialAgeMs: isOurs ? 0 : (initialAgeMs ?? 0),
    receivedMs,
    lifetimeMs: hasBadAge && !isOurs ? 0 : lifetimeMs,
    staleWhileRevalidateMs: whileRevalidateMs,
    staleIfErrorMs: ifErrorMs,
    isOurs,
    alwaysValidate: directives.has("no-cache") && directives.get("no-cache") === true,
  };
}

export function dateOf(headers: HeaderList, receivedMs: number): number {
  const date = headers.get("date");
  return (date === undefined ? undefined : parseHttpDate(date, receivedMs)) ?? receivedMs;
}

/** Section 4.2.1, for a shared cache: s-maxage, max-age, Expires; undefined where none is said. */
function explicitMs(headers: HeaderList, directives: Directives, dateMs: number, receivedMs: number): number | undefined {
  const seconds = secondsOf(directives, "s-maxage") ?? secondsOf(directives, "max-age");
  if (seconds !== undefined) return seconds * 1000;
  const expires = headers.get("expires");
  if (expires === undefined) return undefined;
  const expiresMs = parseHttpDate(expires, receivedMs);
  // `Expires: 0` and its like mean "already expired" (section 5.3).
  return expiresMs === undefined ? 0 : Math.max(0, expiresMs - dateMs);
}

function heuristicMs(status: number, headers: HeaderList, directives: Directives, dateMs: number, receivedMs: number): number {
  if (!HEURISTIC.has(status) && !directives.has("public")) return 0;
  const modified = headers.get("last-modified");
  const modifiedMs = modified === undefined ? undefined : parseHttpDate(modified, receivedMs);
  if (modifiedMs === undefined) return 0;
  return Math.min(Math.max(0, (dateMs - modifiedMs) / 10), MAX_HEURISTIC_MS);
}

/** Section 4.2.3; undefined where Age is anything but one number of seconds: what can't be read is taken for too old. */
function initialAge(headers: HeaderList, dateMs: number, { askedMs, receivedMs }: Times): number | undefined {
  const fields = headers.all("age");
  if (fields.length > 1 || (fields[0] !== undefined && !/^\d+$/.test(fields[0]))) return undefined;
  const statedMs = Number(fields[0] ?? 0) * 1000;
  return Math.max(receivedMs - dateMs, statedMs + (receivedMs - askedMs), 0);
}

/** What the backend says counts; the config's word is for answers that say nothing and do not forbid it (section 4.2.4). */
function staleness(directives: Directives, options: CacheOptions): { whileRevalidateMs: number; ifErrorMs: number } {
  const mustAsk = ["must-revalidate", "proxy-revalidate", "no-cache"].some((name) => directives.has(name));
  if (mustAsk) return { whileRevalidateMs: 0, ifErrorMs: 0 };
  // s-maxage forbids it too (section 5.2.2.10), but who writes both wants both: it is how CDNs are told to.
  const ours = !directives.has("s-maxage");
  const said = (name: string, configured: number | null) => {
    const seconds = secondsOf(directives, name);
    return seconds === undefined ? (ours ? (configured ?? 0) : 0) : seconds * 1000;
  };
  return {
    whileRevalidateMs: said("stale-while-revalidate", options.staleWhileRevalidateMs),
    ifErrorMs: said("stale-if-error", options.staleIfErrorMs),
  };
}
