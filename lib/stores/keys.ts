/** API keys by the SHA-256 digest of the key (base64url); the key itself is never stored. */
import type { Json } from "../exchange.ts";
import type { Pending } from "./reply.ts";

export interface KeyRecord {
  /** Public, never reused; shown in lists and audit records. */
  readonly id: string;
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
  readonly lastUsedMs?: number | undefined;
  readonly metadata?: Readonly<Record<string, Json>> | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Hand it to the next call; undefined on the last page. */
  readonly next?: string | undefined;
}

export interface Keys {
  /** Revoked and expired keys are returned too: the caller judges. */
  get(digest: string): Pending<KeyRecord | undefined>;
  /** Newest first, at most `limit` (1 to 1000). */
  list(query: { readonly consumer?: string; readonly after?: string; readonly limit: number }): Pending<Page<KeyRecord>>;
  /** Adds a key or replaces the one of the same digest. */
  put(record: KeyRecord): Pending<void>;
  /** Removes a key for good; removing one that is not there is no error. */
  remove(id: string): Pending<void>;
  /** Marks a key as revoked; false where there is no such id. A key stays revoked. */
  revoke(id: string, nowMs: number): Pending<boolean>;
  /** Digests revoked at or after that time, oldest first, for an instance's snapshot. */
  revokedSince(sinceMs: number): Pending<readonly { readonly digest: string; readonly revokedMs: number }[]>;
}

/** A key stays revoked: a record that was read before the revocation and is put back after it does not lift it. */
export function withRevocation(record: KeyRecord, revokedMs: number | undefined): KeyRecord {
  return revokedMs === undefined ? record : { ...record, revokedMs };
}

/** A key's place in lists: by creation, then by id. It is also the cursor. */
export function keyPlace(key: KeyRecord): string {
  return `${String(key.createdMs).padStart(15, "0")}:${key.id}`;
}
