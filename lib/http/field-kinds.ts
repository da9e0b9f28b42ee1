/** What a header field is to the gateway, by its name: of requests and of answers. */
import { asRead } from "./header-list.ts";

export const Kind = {
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
  /** Names another method, path or host than the request line. */
  override: 12,
  /** Names the caller, as another proxy would. */
  address: 13,
  /** No client may send it: dropped before anything reads it. */
  foreign: 14,
  /** Plain, and spelled with `_`. */
  lookalike: 15,
  tracestate: 16,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

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

/** By which frameworks and servers (Symfony, Zend, IIS, Rails, gunicorn) act on another method, path or host (CVE-2018-14773). */
export const OVERRIDE_FIELDS: readonly string[] = [
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
  "x-original-method",
  "x-original-url",
  "x-original-uri",
  "x-original-path",
  "x-original-host",
  "x-rewrite-url",
  "x-rewrite-uri",
  "x-override-url",
  "x-request-uri",
  "x-envoy-original-path",
  "x-host",
  "script-name",
  "path-info",
];
for (const name of OVERRIDE_FIELDS) REQUEST_KINDS[name] = Kind.override;

/** By which proxies and CDNs name the caller to backends. What the gateway believes of it, it says in X-Forwarded-For. */
export const ADDRESS_FIELDS: readonly string[] = [
  "true-client-ip",
  "client-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-originating-ip",
  "x-remote-ip",
  "x-remote-addr",
  "remote-addr",
  "x-proxyuser-ip",
  "proxy-client-ip",
  "wl-proxy-client-ip",
  "x-original-forwarded-for",
  "x-envoy-external-address",
  "x-appengine-user-ip",
  "x-azure-clientip",
  "x-azure-socketip",
  "x-nf-client-connection-ip",
  "x-vercel-forwarded-for",
  "x-vercel-proxied-for",
  "cf-connecting-ip",
  "cf-connecting-ipv6",
  "cf-pseudo-ipv4",
  "cloudfront-viewer-address",
  "fastly-client-ip",
  "fly-client-ip",
  "do-connecting-ip",
  "incap-client-ip",
  "ali-cdn-real-ip",
];
for (const name of ADDRESS_FIELDS) REQUEST_KINDS[name] = Kind.address;

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

const MAX_REMEMBERED = 64;

/** Kinds by name as spelled on the wire. Bounded: names are the clients' to choose. */
function classifier(kinds: Record<string, Kind>, isRequest: boolean): (name: string) => Kind {
  const bySpelling = new Map<string, Kind>();
  return (name) => {
    const known = bySpelling.get(name);
    if (known !== undefined) return known;
    const lower = name.toLowerCase();
    // CGI and what grew out of it read `_` as `-`: to such a backend `X_Gateway_Consumer` is ours.
    const read = asRead(lower);
    let kind: Kind = Object.hasOwn(kinds, read) ? kinds[read]! : Kind.plain;
    if (RESERVED.test(read)) kind = Kind.reserved;
    else if (isRequest && FORWARDED.test(read)) kind = Kind.rebuilt;
    // To this parser a lookalike frames nothing and says nothing, so it is not taken for the real one either.
    if (read !== lower) kind = lookalikeOf(kind, isRequest);
    // A name of many bytes is remembered for nobody: thousands of them would fill the memory.
    if (name.length <= MAX_REMEMBERED && bySpelling.size < 4096) bySpelling.set(name, kind);
    return kind;
  };
}

function lookalikeOf(kind: Kind, isRequest: boolean): Kind {
  if (!isRequest) return kind === Kind.plain || kind === Kind.reserved ? kind : Kind.hop;
  // What names another method or path is dropped or passed in every spelling.
  if (kind === Kind.override) return kind;
  return kind === Kind.plain ? Kind.lookalike : Kind.foreign;
}

export const requestKind = classifier(REQUEST_KINDS, true);
export const responseKind = classifier(RESPONSE_KINDS, false);

/** Whether a backend reads the gateway's word under this name (in lower case) and never the caller's. */
export function isRebuilt(name: string): boolean {
  const kind = requestKind(name);
  return kind !== Kind.plain && kind !== Kind.lookalike && kind !== Kind.host && kind !== Kind.contentLength;
}
