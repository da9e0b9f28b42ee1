/** API keys, and tokens that were taken back, by a SHA-256 digest (base64url); a credential itself is never stored. */
import type { Json } from "../json.ts";
import type { Pending } from "./reply.ts";

export interface KeyRecord {
  /** Public, never reused; shown in lists and audit records. */
  readonly id: string;
  /** Counts the changes, from 1: who writes a change says by it which record was read. */
  readonly version: number;
  readonly digest: string;
  readonly name: string;
  readonly consumer: string;
  readonly owner?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly tier?: string | undefined;
  /** The start of the key, enough for a person to tell it apart. */
  readonly hint: string;
  readonly createdMs: number;
  readonly expiresMs?: number | undefined;
  readonly disabled?: boolean | undefined;
  readonly revokedMs?: number | undefined;
  /** Within a minute or two. */
  readonly lastUsedMs?: number | undefined;
  readonly metadata?: Readonly<Record<string, Json>> | undefined;
  /** Canonical addresses and ranges (http/ip-range.ts); undefined: from anywhere. */
  readonly allowedIps?: readonly string[] | undefined;
  /** Paths or ids of routes, as they stand in the config; undefined: every route that takes it. */
  readonly allowedRoutes?: readonly string[] | undefined;
  /** Once another key is to take its place. */
  readonly rotation?: KeyRotation | undefined;
}

/** The end of a key whose successor exists: at `sunsetMs`, or earlier once it was not used for `quietMs`. */
export interface KeyRotation {
  /** Id of the key that takes its place. */
  readonly successor: string;
  readonly rotatedMs: number;
  readonly sunsetMs: number;
  readonly quietMs?: number | undefined;
}

/** What has changed since a mark. */
export interface KeyChanges {
  /** Hand it to the next call. Marks only rise, by the store's own order and not by the clocks of instances. */
  readonly mark: number;
  /** `all` where there were too many to list, and at the first call. */
  readonly digests: readonly string[] | "all";
}

/** More changes than this are told as `all`. */
export const MAX_CHANGES = 1000;
/** So many of the latest are kept. */
export const KEPT_CHANGES = 10_000;

export interface Page<T> {
  readonly items: readonly T[];
  /** Hand it to the next call; undefined on the last page. */
  readonly next?: string | undefined;
}

export interface Keys {
  /** Revoked and expired keys are returned too: the caller judges. */
  get(digest: string): Pending<KeyRecord | undefined>;
  /** By its id: for people and their tools, never for a request. */
  find(id: string): Pending<KeyRecord | undefined>;
  /** Newest first, at most `limit` (1 to 1000). */
  list(query: { readonly consumer?: string; readonly after?: string; readonly limit: number }): Pending<Page<KeyRecord>>;
  /** Adds a key or replaces the one of the same digest. */
  put(record: KeyRecord): Pending<void>;
  /** Writes a changed record in place of the version before it; false where that is gone: another change came between. */
  replace(record: KeyRecord): Pending<boolean>;
  /** Removes a key for good; removing one that is not there is no error. */
  remove(id: string): Pending<void>;
  /** Removes for good what has ended by then (`expiresMs`). It is no change: what has ended is refused by its own time. */
  removeExpired(nowMs: number): Pending<void>;
  /** Marks a key as revoked; false where there is no such id. A key stays revoked. */
  revoke(id: string, nowMs: number): Pending<boolean>;
  /** Notes when a key was last used: the latest time stands. It is no change of the key, and makes none. */
  used(digest: string, nowMs: number): Pending<void>;
  /** Which keys were put, replaced, revoked or removed after `since`: what an instance remembers of these is old. */
  changes(since: number | undefined): Pending<KeyChanges>;
}

/** What is kept beside a record, so that a record which was read earlier and is put back does not undo it. */
export function withStanding(record: KeyRecord, revokedMs: number | undefined, usedMs: number | undefined): KeyRecord {
  const lastUsedMs = usedMs === undefined ? record.lastUsedMs : Math.max(usedMs, record.lastUsedMs ?? 0);
  if (revokedMs === undefined && lastUsedMs === record.lastUsedMs) return record;
  return { ...record, ...(lastUsedMs === undefined ? {} : { lastUsedMs }), ...(revokedMs === undefined ? {} : { revokedMs }) };
}

/** A key's place in lists: by creation, then by id. It is also the cursor. */
export function keyPlace(key: KeyRecord): string {
  return `${String(key.createdMs).padStart(15, "0")}:${key.id}`;
}
