/**
 * The one place that strips headers: what a client may not say, what a backend may not say, and what belongs to one hop only.
 * Every request and every backend's answer passes here, on both hosts.
 */
import { Kind, requestKind, responseKind } from "./field-kinds.ts";
import { asRead, HeaderList } from "./header-list.ts";

/** What the engine itself needs to know of a request's header fields, found in one pass. */
export interface RequestFacts {
  /** The fields as received without reserved names: what policies and templates may believe to be the caller's own. */
  readonly headers: HeaderList;
  /** With reserved names, where there were any: for what a host or the engine believes after a proof. */
  readonly withReserved: HeaderList | undefined;
  readonly host: string | undefined;
  /** Every Host: more than one is an attack. */
  readonly hosts: number;
  /** Undefined where the field is absent. A malformed or repeated one never gets here: the host's parser refuses it. */
  readonly contentLength: number | undefined;
  /** Several fields are one list (RFC 9110 section 5.3). */
  readonly transferEncoding: string | undefined;
  readonly upgrade: string | undefined;
  readonly requestId: string | undefined;
  /** Several are joined, and so no traceparent any more (W3C Trace Context section 3.2.1). */
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  readonly via: string | undefined;
  /** Whether fields name another method, path or host than the request line. */
  readonly hasOverrides: boolean;
  /** A name that is spelled in two ways, one of them with `_`: of two readers each would take another. */
  readonly fault: string | undefined;
}

/**
 * Reads a request's fields once; the list is copied only where something must go before anybody reads it. `trusted` are the names (in
 * lower case) of address fields that a proxy in front is believed for.
 */
export function readRequestHeaders(received: HeaderList, trusted?: ReadonlySet<string>): RequestFacts {
  let host: string | undefined;
  let hosts = 0;
  let contentLength: number | undefined;
  let transferEncoding: string | undefined;
  let upgrade: string | undefined;
  let requestId: string | undefined;
  let traceparent: string | undefined;
  let tracestate: string | undefined;
  let via: string | undefined;
  let connection: string | undefined;
  let hasReserved = false;
  let hasForeign = false;
  let hasOverrides = false;
  let hasLookalikes = false;
  const { pairs } = received;
  for (let i = 0; i < pairs.length; i += 2) {
    const value = pairs[i + 1]!;
    switch (requestKind(pairs[i]!)) {
      case Kind.reserved:
        hasReserved = true;
        break;
      case Kind.host:
        host ??= value;
        hosts++;
        break;
      case Kind.contentLength:
        contentLength = Number(value);
        break;
      case Kind.transferEncoding:
        transferEncoding = transferEncoding === undefined ? value : `${transferEncoding}, ${value}`;
        break;
      case Kind.upgrade:
        upgrade = value;
        break;
      case Kind.requestId:
        requestId = value;
        break;
      case Kind.traceparent:
        traceparent = traceparent === undefined ? value : `${traceparent}, ${value}`;
        break;
      case Kind.tracestate:
        tracestate = tracestate === undefined ? value : `${tracestate},${value}`;
        break;
      case Kind.via:
        via = via === undefined ? value : `${via}, ${value}`;
        break;
      case Kind.connection:
        connection = connection === undefined ? value : `${connection},${value}`;
        break;
      case Kind.override:
        hasOverrides = true;
        break;
      case Kind.address:
        hasForeign ||= !trusted?.has(pairs[i]!.toLowerCase());
        break;
      case Kind.foreign:
        hasForeign = true;
        break;
      case Kind.lookalike:
        hasLookalikes = true;
        break;
      default:
    }
  }
  // First of all: what is not sent on must not be a credential, a condition or part of a key here (RFC 9110 section 7.6.1).
  const sent = connection === undefined ? pairs : withoutNamed(pairs, connection, isNamedInVain);
  if (sent !== pairs) return readRequestHeaders(new HeaderList(sent), trusted);
  const own = hasForeign ? withoutForeign(pairs, trusted) : received;
  const headers = hasReserved ? without(own.pairs, Kind.reserved) : own;
  const fault = hasLookalikes ? nameInTwoSpellings(headers) : undefined;
  return {
    headers,
    withReserved: hasReserved ? own : undefined,
    host,
    hosts,
    contentLength,
    transferEncoding,
    upgrade,
    requestId,
    traceparent,
    tracestate,
    via,
    hasOverrides,
    fault,
  };
}

/** The same request without fields that name another method, path or host than its request line. */
export function withoutOverrides(facts: RequestFacts): RequestFacts {
  return { ...facts, headers: without(facts.headers.pairs, Kind.override), hasOverrides: false };
}

function without(pairs: readonly string[], kind: Kind): HeaderList {
  const kept: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) if (requestKind(pairs[i]!) !== kind) kept.push(pairs[i]!, pairs[i + 1]!);
  return new HeaderList(kept);
}

function withoutForeign(pairs: readonly string[], trusted: ReadonlySet<string> | undefined): HeaderList {
  const kept: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const kind = requestKind(pairs[i]!);
    const isTrusted = kind === Kind.address && trusted?.has(pairs[i]!.toLowerCase());
    if (isTrusted || (kind !== Kind.address && kind !== Kind.foreign)) kept.push(pairs[i]!, pairs[i + 1]!);
  }
  return new HeaderList(kept);
}

function nameInTwoSpellings({ pairs }: HeaderList): string | undefined {
  const spellings = new Map<string, string>();
  for (let i = 0; i < pairs.length; i += 2) {
    const lower = pairs[i]!.toLowerCase();
    const read = asRead(lower);
    if ((spellings.get(read) ?? lower) !== lower) return "a header field in two spellings, with - and with _";
    spellings.set(read, lower);
  }
  return undefined;
}

/** What `Connection` can't take away: what frames and routes the message, and what proxies in front say of the caller. */
function isNamedInVain(name: string): boolean {
  switch (requestKind(name)) {
    case Kind.plain:
    case Kind.lookalike:
    case Kind.override:
    case Kind.address:
    case Kind.requestId:
    case Kind.traceparent:
    case Kind.tracestate:
    case Kind.via:
      return false;
    default:
      return true;
  }
}

/**
 * The caller's fields that go on to a backend: everything but what belongs to one hop and what the gateway says itself; what
 * `Connection` names is gone. Content-Length is left out where `keepLength` is false: then the length is not what it was.
 */
export function endToEndRequestPairs(headers: HeaderList, keepLength: boolean): string[] {
  const { pairs } = headers;
  const kept: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i]!;
    switch (requestKind(name)) {
      case Kind.plain:
      case Kind.lookalike:
      case Kind.override:
      case Kind.address:
        kept.push(name, pairs[i + 1]!);
        break;
      case Kind.contentLength:
        if (keepLength) kept.push(name, pairs[i + 1]!);
        break;
      default:
    }
  }
  return kept;
}

const PLAIN_CONNECTION = /^\s*(?:keep-alive|close|upgrade)\s*$/i;

/** Drops the fields that `Connection` names; the very list where it names none. It can't take away what the gateway adds later. */
function withoutNamed(pairs: string[], connection: string, isKept: (name: string) => boolean): string[] {
  if (PLAIN_CONNECTION.test(connection)) return pairs;
  const named = new Set(connection.split(",").map((token) => asRead(token.trim().toLowerCase())));
  const kept: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i]!;
    if (!named.has(asRead(name.toLowerCase())) || isKept(name)) kept.push(name, pairs[i + 1]!);
  }
  return kept.length === pairs.length ? pairs : kept;
}

export interface BackendHead {
  /** The fields that may reach the caller, without Content-Length and Cache-Control. */
  readonly pairs: string[];
  readonly contentLength: string | undefined;
  readonly cacheControl: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly contentType: string | undefined;
  /** What it says to shared caches alone, taken out: name (lower case), value. */
  readonly forCaches: readonly string[] | undefined;
  /** False where only the end of the connection ends the body (RFC 9112 section 6.3). */
  readonly isFramed: boolean;
}

/** Reads a backend's raw fields (undici gives buffers) in one pass and keeps those that may go on. */
export function readBackendHead(raw: readonly Uint8Array[]): BackendHead {
  const pairs: string[] = [];
  let contentLength: string | undefined;
  let cacheControl: string | undefined;
  let contentEncoding: string | undefined;
  let contentType: string | undefined;
  let connection: string | undefined;
  let forCaches: string[] | undefined;
  let isFramed = false;
  for (let i = 0; i < raw.length; i += 2) {
    const name = latin1(raw[i]!);
    const kind = responseKind(name);
    if (kind === Kind.plain) {
      const value = latin1(raw[i + 1]!);
      if (name.length === 13 && name.toLowerCase() === "cache-control") {
        cacheControl = cacheControl === undefined ? value : `${cacheControl}, ${value}`;
        continue;
      }
      if (name.length === 16 && name.toLowerCase() === "content-encoding") contentEncoding = value;
      else if (name.length === 12 && name.toLowerCase() === "content-type") contentType = value;
      pairs.push(name, value);
    } else if (kind === Kind.contentLength) {
      contentLength = latin1(raw[i + 1]!);
      isFramed = true;
    } else if (kind === Kind.transferEncoding) {
      isFramed = true;
    } else if (kind === Kind.rebuilt) {
      forCaches ??= [];
      forCaches.push(name.toLowerCase(), latin1(raw[i + 1]!));
    } else if (kind === Kind.connection) {
      const value = latin1(raw[i + 1]!);
      connection = connection === undefined ? value : `${connection},${value}`;
    }
  }
  return {
    pairs: connection === undefined ? pairs : withoutNamed(pairs, connection, () => false),
    contentLength,
    cacheControl,
    contentEncoding,
    contentType,
    forCaches,
    isFramed,
  };
}

/** Field values are latin-1 on the wire (RFC 9110 section 5.5). */
function latin1(bytes: Uint8Array): string {
  return (bytes as Buffer).toString("latin1");
}
