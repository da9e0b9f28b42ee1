/** Reads `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header section 2.1): a quoted string, or, as most clients send it, bare. */
import type { HeaderList } from "../../http/header-list.ts";

/** A String of Structured Fields (RFC 9651 section 3.3.3); an item may have no parameters here. */
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
/** What would begin a list or a parameter is no part of a key: two proxies must not read two keys. */
const BARE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/;
const MAX_LENGTH = 255;

/** Undefined where there is none; null where it can't be read. Quotes are no part of it. */
export function readIdempotencyKey(headers: HeaderList): string | null | undefined {
  const [value, ...others] = headers.all("idempotency-key");
  if (value === undefined) return undefined;
  if (others.length > 0) return null;
  const quoted = QUOTED.exec(value.trim())?.[1]?.replace(/\\(.)/g, "$1");
  const key = quoted ?? BARE.exec(value.trim())?.[0] ?? "";
  return key.length >= 1 && key.length <= MAX_LENGTH ? key : null;
}
