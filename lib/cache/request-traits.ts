/** What the fields of a request mean to a cache, found in one pass: a hit should cost little more than finding it. */
import { parseDirectives } from "../http/cache-directives.ts";
import { OVERRIDE_FIELDS } from "../http/field-kinds.ts";
import type { HeaderList } from "../http/header-list.ts";

const CREDENTIAL = 1;
const CONDITION = 2;
const RANGE = 4;
const DIRECTIVES = 8;
const BYPASS = 16;
const COOKIE = 32;

const KINDS: Readonly<Record<string, number>> = {
  authorization: CREDENTIAL,
  // Not HTTP's own, but what APIs take for a credential as often.
  "x-api-key": CREDENTIAL,
  "x-auth-token": CREDENTIAL,
  "x-access-token": CREDENTIAL,
  cookie: COOKIE,
  "if-none-match": CONDITION,
  "if-modified-since": CONDITION,
  range: RANGE,
  "if-range": RANGE,
  "cache-control": DIRECTIVES,
  // The backend's to judge: a stored answer can't tell what has been lost (RFC 9110 section 13.1.1).
  "if-match": BYPASS,
  "if-unmodified-since": BYPASS,
  // To many frameworks these are another method, path or host than the key has: cache poisoning by an unkeyed field.
  ...Object.fromEntries(OVERRIDE_FIELDS.map((name) => [name, BYPASS])),
};

/** By name as spelled on the wire. Names are the callers' to choose: bounded in number, and no longer than the longest that says something. */
const bySpelling = new Map<string, number>();
const MAX_SPELLINGS = 4096;
const MAX_NAME_LENGTH = Math.max(...Object.keys(KINDS).map((name) => name.length));

function kindOf(name: string): number {
  // A longer name is none of these: it is not remembered, however many a caller makes up (60 KB each would fill memory).
  if (name.length > MAX_NAME_LENGTH) return 0;
  const known = bySpelling.get(name);
  if (known !== undefined) return known;
  // `_` reads as `-` behind CGI.
  const read = name.toLowerCase().replaceAll("_", "-");
  const kind = Object.hasOwn(KINDS, read) ? KINDS[read]! : 0;
  if (bySpelling.size < MAX_SPELLINGS) bySpelling.set(name, kind);
  return kind;
}

export interface RequestTraits {
  readonly hasCredentials: boolean;
  readonly hasCookies: boolean;
  readonly isConditional: boolean;
  readonly hasRange: boolean;
  readonly mustBypass: boolean;
  /** `only-if-cached` and `no-store` are heeded; the rest (RFC 9111 section 5.2.1: advisory) would let any caller wear the backend out. */
  readonly onlyIfCached: boolean;
  readonly forbidsStoring: boolean;
}

export function readRequestTraits(headers: HeaderList): RequestTraits {
  const { pairs } = headers;
  let kinds = 0;
  for (let i = 0; i < pairs.length; i += 2) kinds |= kindOf(pairs[i]!);
  const directives = kinds & DIRECTIVES ? parseDirectives(headers.all("cache-control").join(",")) : undefined;
  return {
    hasCredentials: (kinds & CREDENTIAL) !== 0,
    hasCookies: (kinds & COOKIE) !== 0,
    isConditional: (kinds & CONDITION) !== 0,
    hasRange: (kinds & RANGE) !== 0,
    mustBypass: (kinds & BYPASS) !== 0,
    onlyIfCached: directives?.has("only-if-cached") ?? false,
    forbidsStoring: directives?.has("no-store") ?? false,
  };
}
