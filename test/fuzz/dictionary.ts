/** What cases are made of: methods, targets, hosts, and every header field that the gateway knows or that a parser may stumble over. */
import { createHmac } from "node:crypto";
import { FORGED } from "./fuzz-case.ts";
import type { Random } from "./random.ts";

export const ADA_PASSWORD = "ada-password-0123456789";
export const JWT_SECRET = "jwt-secret-of-the-fuzzer-0123456789";

export const ROUTES = [
  ..."calm pair down spare mirror people any tokens once cached cached/always limited few stream raw slash rewrite fields".split(
    " ",
  ),
  ..."pages screened closed when host methods small delayed policies checked shout own moved gateway nothing".split(" "),
];

export const METHODS = [
  ..."GET GET GET GET HEAD POST POST PUT PATCH DELETE OPTIONS TRACE PROPFIND QUERY PURGE M-SEARCH LOCK MKCOL REPORT SOURCE".split(
    " ",
  ),
  ..."get FOO X PRI GETX CONNECTX".split(" "),
];

const SEGMENTS = [
  ..."a b 1 x.rsc _next data %41 %2F %2f %5C %00 %zz % .. . %2e%2e %2e .%2e ;a a;b=.. %3b caf%C3%A9 %C3 %FF %E2%80%AE * :id @ ~ + index.html".split(
    " ",
  ),
  "caf\xe9",
  "\xff\xfe",
  "a|b",
  "<script>",
  "\\",
  "",
  "${params.id}",
  "__proto__",
  "constructor",
];

const QUERIES = [
  ..."a=1 name=x name=..%2F..%2Fadmin name=%0d%0aset-cookie:x name=caf%C3%A9 name=%00 key=fuzz_nothing nxtPpath=a _rsc=1 utm=1 on=true a a= =a & && %zz".split(
    " ",
  ),
  "name=\xe9",
  "?",
  "name=a b",
  "on",
  "__nextLocale=x",
  "a[]=1",
];

export const HOSTS = [
  ..."gateway.example gateway.example a.fuzz.example A.FUZZ.example. fuzz.example [::1] [::1]:80 [::1 127.0.0.1:1 localhost:0 x:99999".split(
    " ",
  ),
  ..."gateway.example:80 gateway.example: a@b a/b a?b a#b *.fuzz.example xn--nxasmq6b ${env.X} .. % %00 _".split(" "),
  "",
  "a b",
  "a,b",
  "caf\xe9.example",
  "a\tb",
  "x".repeat(300),
];

const b64 = (text: string) => Buffer.from(text).toString("base64");
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const signed = (claims: object, secret = JWT_SECRET) => {
  const head = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${head}.${createHmac("sha256", secret).update(head).digest("base64url")}`;
};
const GOOD_TOKEN = signed({ sub: "ada", aud: "fuzz", iat: 1_700_000_000, exp: 4_000_000_000 });

/** Values by the name of the field. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  accept: ["*/*", "text/event-stream", "text/html", "application/json;q=0.1", ",", ";q=2"],
  "accept-encoding": ["gzip", "br, gzip;q=0", "identity", "*;q=0", "gzip, gzip, ,", "", "\xff"],
  authorization: [
    `Basic ${b64(`ada:${ADA_PASSWORD}`)}`,
    `Basic ${b64("ada:wrong")}`,
    `Basic ${b64("ada")}`,
    "Basic",
    "Basic ====",
    "basic \xff",
    `Bearer ${GOOD_TOKEN}`,
    `Bearer ${GOOD_TOKEN}x`,
    `Bearer ${signed({ sub: "ada", aud: "fuzz", exp: 1 })}`,
    `Bearer ${signed({ sub: 1, aud: ["fuzz"], exp: "x", nbf: -1 })}`,
    `Bearer ${part({ alg: "none" })}.${part({ aud: "fuzz" })}.`,
    `Bearer ${part({ alg: "HS256", crit: ["x"] })}.e30.AA`,
    "Bearer a.b.c",
    "Bearer ..",
    "Bearer fuzz_live_0000000000000000000000000000000000",
    "Negotiate YII",
    "NTLM TlRMTVNTUAABAAAA",
    "Digest a=b",
    "",
  ],
  "x-api-key": ["fuzz_a", "fuzz_0123456789abcdefABCDEF0123456789abcdefABCDEF", "\xe9", ""],
  cookie: ["a=1", "a=1; b=2", "canary-odd=1", '"', "=", ";;;", "__prerender_bypass=x", "a=\xff", `a=${"x".repeat(5000)}`],
  "cache-control": [
    "no-cache",
    "no-store",
    "only-if-cached",
    "max-age=0",
    "max-age=-1",
    "max-stale",
    'x="',
    "min-fresh=99999999999999999999",
  ],
  pragma: ["no-cache"],
  connection: [
    "close",
    "keep-alive",
    "upgrade",
    "x-fuzz",
    "te, close",
    "host",
    "content-length",
    "x-forwarded-for, cookie",
    ",",
    "\xe9",
    "close, keep-alive",
  ],
  "content-encoding": ["gzip", "identity", "br", "gzip, gzip", "x"],
  "content-type": [
    "application/json",
    "text/plain;charset=x",
    "multipart/form-data; boundary=b",
    "application/grpc",
    "",
    "a/b;\xe9",
  ],
  expect: ["100-continue", "100-Continue", "200-ok", "", "100-continue, x"],
  forwarded: [
    "for=1.2.3.4",
    'for="[::1]:80";proto=https;host=a.fuzz.example',
    "for=unknown",
    "for=_x, for=1",
    `a=x${" ".repeat(400)}"y`,
    ";;,,",
    'for="',
  ],
  "x-forwarded-for": [
    "1.2.3.4",
    "203.0.113.9",
    "::1",
    "a, b, 1.2.3.4",
    ",",
    "1.2.3.4:80",
    "[::ffff:1.2.3.4]:1",
    "999.1.1.1",
    "\xe9",
  ],
  "x-forwarded-host": ["evil.example", "a,b", "", "\xe9"],
  "x-forwarded-proto": ["https", "http", "ftp", "https,http", ""],
  "x-real-ip": ["1.2.3.4", "x"],
  via: ["1.1 a", "1.1 frontdesk-0123456789", "1.0 fred, 1.1 p.example", ",,,", "\xe9"],
  traceparent: [
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-0-0-0",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "x",
  ],
  tracestate: ["a=1", "a=1,b=2", "\xe9", ","],
  "x-request-id": ["abc", "a b", "\xe9", "x".repeat(500), "\x01"],
  range: ["bytes=0-0", "bytes=0-,-1", "bytes=9-1", "bytes=-99999999999999999999", "x", "bytes=0-1,0-1,0-1,0-1,0-1"],
  "if-range": ['"a"', "Tue, 01 Dec 2026 00:00:00 GMT", "x"],
  "if-none-match": ['"a"', "*", 'W/"a", "b"', '"', "x"],
  "if-match": ['"a"', "*"],
  "if-modified-since": ["Tue, 01 Dec 2026 00:00:00 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "x", "0"],
  "if-unmodified-since": ["Tue, 01 Dec 1970 00:00:00 GMT"],
  "idempotency-key": ["k1", '"0123456789abcdef"', "0123456789abcdef", "", "\xe9", "x".repeat(300)],
  te: ["trailers", "gzip", "trailers, deflate;q=0.5", ""],
  trailer: ["x-a", "content-length"],
  upgrade: ["h2c", "websocket", "WebSocket", "h2c, websocket", "TLS/1.0", "", "\xe9"],
  "http2-settings": ["AAMAAABkAAQAoAAAAAIAAAAA"],
  "keep-alive": ["timeout=5", "timeout=-1, max=0"],
  "proxy-connection": ["keep-alive"],
  "proxy-authorization": ["Basic x"],
  proxy: ["http://evil.example"],
  origin: ["https://app.example", "null", "https://evil.example", "\xe9", "https://app.example, x"],
  "access-control-request-method": ["PUT", "FOO", "", "\xe9"],
  "access-control-request-headers": ["x-a, x-b", ",", "\xe9"],
  "sec-fetch-site": ["same-origin", "cross-site", "x"],
  "user-agent": ["fuzz", "a bot", "", "\xe9"],
  "max-forwards": ["0", "-1", "x"],
  "sec-websocket-key": ["dGhlIHNhbXBsZSBub25jZQ==", "x", ""],
  "sec-websocket-version": ["13", "8", "13, 8", ""],
  "sec-websocket-extensions": [
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits=99",
    "x",
    ",",
    'permessage-deflate; a="',
  ],
  "sec-websocket-protocol": ["chat", "a, b", "", "\xe9"],
  "sec-websocket-accept": ["x"],
  "x-variant": ["a", "b", "\xe9"],
  "x-seg": ["a", "../../admin", "..%2F", "%00", "\xe9", "a/b", ""],
  "x-open": ["sesame", "x"],
  "x-partner": ["yes"],
  "x-gone": ["here"],
  "cf-ipcountry": ["DE", "KP", "XX", "\xe9", ""],
  "cf-ipcity": ["K\xc3\xb6ln", "%ZZ"],
  "x-vercel-ip-country": ["KP"],
  "x-vercel-id": ["fra1::x"],
  "x-http-method-override": ["DELETE"],
  "x-original-url": ["/gateway"],
  "x-rewrite-url": ["/gateway"],
  rsc: ["1"],
  "next-router-state-tree": ["x", "%5B%22%22%5D"],
  "next-router-prefetch": ["1"],
  "next-action": ["x", "0".repeat(40)],
  "next-url": ["/x"],
  purpose: ["prefetch"],
  "x-matched-path": ["/gateway"],
  __proto__: ["x"],
  constructor: ["x"],
};

const RESERVED = [
  ..."x-gateway-plan x-gateway-upload x-gateway-client x-gateway-doctor x-gateway-mirror x-gateway-error x-gateway-consumer".split(
    " ",
  ),
  ..."x-middleware-rewrite x-middleware-next x-middleware-prefetch x-middleware-subrequest x-middleware-override-headers".split(
    " ",
  ),
  ..."x-middleware-request-x x-middleware-set-cookie x-middleware-invoke x-nextjs-data x-nextjs-matched-path".split(" "),
];

const NAMES = Object.keys(FIELDS);

/** `Name: value`, most often a field that means something. */
export function field(random: Random): string {
  if (random.chance(0.12)) return `${lookalike(random, random.pick(RESERVED))}: ${FORGED}${random.chance(0.2) ? "\xe9" : ""}`;
  if (random.chance(0.06)) return `x-${random.below(1000)}: ${oddValue(random)}`;
  const name = random.pick(NAMES);
  return `${lookalike(random, name)}: ${random.chance(0.05) ? oddValue(random) : random.pick(FIELDS[name]!)}`;
}

function lookalike(random: Random, name: string): string {
  if (random.chance(0.05)) return name.replaceAll("-", "_");
  return random.chance(0.1) ? name.toUpperCase() : name;
}

function oddValue(random: Random): string {
  const odd = [
    () => "x".repeat(random.between(1, 9000)),
    () => "\xe9\xff\x80",
    () => "\t \t",
    () => "${env.JWT_SECRET}",
    () => "a,".repeat(200),
    () => "\xf0\x9f\x98\x80",
  ];
  return random.pick(odd)();
}

export function target(random: Random): string {
  const route = random.pick(ROUTES);
  const path = `/${route}${random.few(4, () => `/${random.pick(SEGMENTS)}`).join("")}`;
  const query = random.chance(0.4) ? `?${random.few(5, () => random.pick(QUERIES)).join("&")}` : "";
  const drawn = random.next();
  if (drawn < 0.03) return `http://${random.pick(HOSTS)}${path}${query}`;
  if (drawn < 0.04)
    return random.pick([
      "*",
      "gateway.example:443",
      "//",
      "/",
      "?",
      "http://",
      "https://a/",
      "a",
      "/?",
      "http://a@b/",
      "ftp://x/",
    ]);
  if (drawn < 0.06) return `${path}/${"a".repeat(random.between(1000, 20_000))}`;
  if (drawn < 0.1) return `${path}${random.pick(["#f", "?#", "/../..", "//", "/%2e%2e/%2e%2e/admin", "/.;/"])}`;
  return path + query;
}

/** The engine's own endpoints. */
export function ownTarget(random: Random): string {
  const paths = [
    ..."health health/checks overview routes records config problems problems/internal problems/%00 api api/keys api/keys/x".split(
      " ",
    ),
    ..."api/maintenance api/purge api/revocations api/usage openapi.json _next/x doctor favicon.ico %2e%2e/health".split(" "),
    "",
  ];
  return `/gateway/${random.pick(paths)}${random.chance(0.2) ? `?${random.pick(QUERIES)}` : ""}`;
}
