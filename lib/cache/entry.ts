/** A stored answer, and its form in a store outside of this process. */

import type { Validators } from "../http/conditions.ts";
import { HeaderList } from "../http/header-list.ts";
import { parseHttpDate } from "../http/http-date.ts";
import { dateOf, type Freshness } from "./freshness.ts";
import { ownBytes } from "./own-bytes.ts";

export interface StoredAnswer {
  readonly status: number;
  /** Shaped for everybody, without Age and Cache-Control. */
  readonly pairs: readonly string[];
  /** As the backend gave it. */
  readonly cacheControl: string | undefined;
  readonly targeted: string | undefined;
  readonly body: Uint8Array;
  readonly freshness: Freshness;
  readonly vary: readonly string[];
  /** Also for callers who show credentials (RFC 9111 section 3.5). */
  readonly isPublic: boolean;
  /** By path, of the backend and of the config. */
  readonly tags: readonly string[];
}

/** With what is worked out once and read on each hit. */
export interface Entry extends StoredAnswer {
  readonly validators: Validators;
  /** What the caller gets of it whoever asks: fields with caching fields for this route. */
  readonly sent: readonly string[];
  /** Never used beyond it, fresh or stale. */
  readonly keepUntilMs: number;
}

/** A stale answer with a validator saves the body of the next, so it is kept for a while. */
const KEPT_FOR_VALIDATION_MS = 3_600_000;

export function toEntry(answer: StoredAnswer, sent: readonly string[]): Entry {
  const { freshness } = answer;
  const validators = validatorsOf(new HeaderList(answer.pairs as string[]), freshness.receivedMs);
  const canValidate = validators.etag !== undefined || validators.lastModified !== undefined;
  const staleMs = Math.max(freshness.staleWhileRevalidateMs, freshness.staleIfErrorMs, canValidate ? KEPT_FOR_VALIDATION_MS : 0);
  const keepUntilMs = freshness.receivedMs - freshness.initialAgeMs + freshness.lifetimeMs + staleMs;
  return { ...answer, validators, sent, keepUntilMs };
}

export function validatorsOf(headers: HeaderList, receivedMs: number): Validators {
  const lastModified = headers.get("last-modified");
  return {
    etag: headers.get("etag"),
    lastModified,
    lastModifiedMs: lastModified === undefined ? undefined : parseHttpDate(lastModified, receivedMs),
    dateMs: dateOf(headers, receivedMs),
  };
}

/** Four bytes for the length of what describes it, that, the body. */
export function encodeAnswer({ body, ...described }: StoredAnswer): Uint8Array {
  const head = Buffer.from(JSON.stringify(described), "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, body]);
}

/** Undefined for what this version can't read: a store may hold what another wrote. */
export function decodeAnswer(bytes: Uint8Array): StoredAnswer | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 4) return undefined;
  const end = 4 + buffer.readUInt32BE(0);
  try {
    const described = JSON.parse(buffer.toString("utf8", 4, end)) as Omit<StoredAnswer, "body">;
    // A view would keep the whole of what was read alive, uncounted.
    return { ...described, body: ownBytes([buffer.subarray(end)]) };
  } catch {
    return undefined;
  }
}
