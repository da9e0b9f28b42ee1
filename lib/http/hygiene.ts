/**
 * The one place that strips headers: what a client may not say, what a backend may not say, and what belongs to one hop only.
 * Every request and every backend's answer passes here, on both hosts.
 */
import { HeaderList } from "./header-list.ts";

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
}

const Kind = {
  plain: 0,
  /** Ours alone; a client's or backend's copy is dropped before anything reads it. */
  reserved: 1,
  /** Belongs to one connection (RFC 9110 section 7.6.1). */
  hop: 2,
  /** Replaced by what the gateway itself says. */
  rebuilt: 3,
  host: 4,
  contentLength: 5,
  transferEncoding: 6,
  connection: 7,
  upgrade: 8,
  requestId: 9,
  traceparent: 10,
  via: 11,
  tracestate: 12,
} as const;
type Kind = (typeof Kind)[keyof typeof Kind];

const REQUEST_KINDS: Record<string, Kind> = {
  connection: Kind.connection,
  "keep-alive": Kind.hop,
  "proxy-connection": Kind.hop,
  "proxy-authorization": Kind.hop,
  te: Kind.hop,
  trailer: Kind.hop,
  "transfer-encoding": Kind.transferEncoding,
  upgrade: Kind.upgrade,
  // Answered by the host itself, before the body is read (RFC 9110 section 10.1.1).
  expect: Kind.hop,
  host: Kind.host,
  "content-length": Kind.contentLength,
  forwarded: Kind.rebuilt,
  "x-real-ip": Kind.rebuilt,
  // CGI hands it on as HTTP_PROXY, by which many HTTP clients choose their proxy (httpoxy, CVE-2016-5385).
  proxy: Kind.hop,
  "x-request-id": Kind.requestId,
  traceparent: Kind.traceparent,
  tracestate: Kind.tracestate,
  via: Kind.via,
};

const RESPONSE_KINDS: Record<string, Kind> = {
  connection: Kind.connection,
  "keep-alive": Kind.hop,
  "proxy-connection": Kind.hop,
  "proxy-authenticate": Kind.hop,
  te: Kind.hop,
  trailer: Kind.hop,
  "transfer-encoding": Kind.transferEncoding,
  upgrade: Kind.hop,
  // A shared cache in front believes these; only the gateway may speak to it (docs/design.md, what a downstream cache skips).
  "cdn-cache-control": Kind.rebuilt,
  "vercel-cdn-cache-control": Kind.rebuilt,
  "vercel-cache-tag": Kind.rebuilt,
  "surrogate-control": Kind.rebuilt,
  "surrogate-key": Kind.rebuilt,
  "cache-tag": Kind.rebuilt,
  "content-length": Kind.contentLength,
  "x-request-id": Kind.requestId,
};

/** Names by which Next and this gateway are steered: from outside they are only ever an attack (CVE-2025-29927). */
const RESERVED = /^x-(?:gateway|middleware|nextjs)-/;
const FORWARDED = /^x-forwarded-/;

/** Kinds by name as spelled on the wire. Bounded: names are the clients' to choose. */
function classifier(kinds: Record<string, Kind>, dropsForwarded: boolean): (name: string) => Kind {
  const bySpelling = new Map<string, Kind>();
  return (name) => {
    const known = bySpelling.get(name);
    if (known !== undefined) return known;
    const lower = name.toLowerCase();
    // CGI and what grew out of it read `_` as `-`: to such a backend `X_Gateway_Consumer` is ours.
    const read = lower.replaceAll("_", "-");
    let kind: Kind = Object.hasOwn(kinds, read) ? kinds[read]! : Kind.plain;
    if (RESERVED.test(read)) kind = Kind.reserved;
    else if (dropsForwarded && FORWARDED.test(read)) kind = Kind.rebuilt;
    // To this parser a lookalike frames nothing and says nothing, so it is not taken for the real one either.
    if (read !== lower && kind !== Kind.plain && kind !== Kind.reserved) kind = Kind.hop;
    if (bySpelling.size < 4096) bySpelling.set(name, kind);
    return kind;
  };
}

const requestKind = classifier(REQUEST_KINDS, true);
const responseKind = classifier(RESPONSE_KINDS, false);

/** Whether a backend reads the gateway's word under this name (in lower case) and never the caller's. */
export function isRebuilt(name: string): boolean {
  const kind = requestKind(name);
  return kind !== Kind.plain && kind !== Kind.host && kind !== Kind.contentLength;
}

/** Reads a request's fields once; the list is copied only where it holds reserved names. */
export function readRequestHeaders(received: HeaderList): RequestFacts {
  let host: string | undefined;
  let hosts = 0;
  let contentLength: number | undefined;
  let transferEncoding: string | undefined;
  let upgrade: string | undefined;
  let requestId: string | undefined;
  let traceparent: string | undefined;
  let tracestate: string | undefined;
  let via: string | undefined;
  let hasReserved = false;
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
      default:
    }
  }
  const headers = hasReserved ? withoutReserved(pairs) : received;
  const withReserved = hasReserved ? received : undefined;
  return {
    headers,
    withReserved,
    host,
    hosts,
    contentLength,
    transferEncoding,
    upgrade,
    requestId,
    traceparent,
    tracestate,
    via,
  };
}

function withoutReserved(pairs: readonly string[]): HeaderList {
  const kept: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    if (requestKind(pairs[i]!) !== Kind.reserved) kept.push(pairs[i]!, pairs[i + 1]!);
  }
  return new HeaderList(kept);
}

/**
 * The caller's fields that go on to a backend: everything but what belongs to one hop, what `Connection` names, and what the
 * gateway says itself. Content-Length is left out where `keepLength` is false: then the length is not what it was.
 */
export function endToEndRequestPairs(headers: HeaderList, keepLength: boolean): string[] {
  const { pairs } = headers;
  const kept: string[] = [];
  let named: string | undefined;
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i]!;
    switch (requestKind(name)) {
      case Kind.plain:
        kept.push(name, pairs[i + 1]!);
        break;
      case Kind.contentLength:
        if (keepLength) kept.push(name, pairs[i + 1]!);
        break;
      case Kind.connection:
        named = named === undefined ? pairs[i + 1]! : `${named},${pairs[i + 1]!}`;
        break;
      default:
    }
  }
  return named === undefined ? kept : withoutNamed(kept, named);
}

const PLAIN_CONNECTION = /^\s*(?:keep-alive|close|upgrade)\s*$/i;

/** Drops the fields that `Connection` names. It can't take from the backend what the gateway added: that is added later. */
function withoutNamed(pairs: string[], connection: string): string[] {
  if (PLAIN_CONNECTION.test(connection)) return pairs;
  const named = new Set(connection.split(",").map((token) => token.trim().toLowerCase()));
  const kept: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const lower = pairs[i]!.toLowerCase();
    // Content-Length frames the message: a client that names it would desynchronise the next hop.
    if (lower === "content-length" || !named.has(lower)) kept.push(pairs[i]!, pairs[i + 1]!);
  }
  return kept;
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
    pairs: connection === undefined ? pairs : withoutNamed(pairs, connection),
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
