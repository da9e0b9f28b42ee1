/** What odd backends answer: every status and field that a gateway acts on, and every way to break an answer off. */
import { gzipSync } from "node:zlib";
import { ANSWER_FIELD, type AnswerStep } from "./fuzz-case.ts";
import type { Random } from "./random.ts";
import { frames } from "./websocket.ts";

const STATUSES = [
  ...Array.from({ length: 12 }, () => 200),
  ...[
    201, 202, 203, 204, 205, 206, 207, 226, 299, 300, 301, 302, 303, 304, 307, 308, 400, 401, 404, 407, 408, 409, 412, 413, 416,
    421, 425, 429,
  ],
  ...[431, 451, 499, 500, 501, 502, 503, 504, 508, 511, 599, 600, 999, 101, 100, "099", "20", "2000", "abc", "-1", ""],
];

const PHRASES = [
  "OK",
  "OK",
  "OK",
  "",
  "caf\xe9",
  "\xe2\x80\x99",
  "a\tb",
  "a\x01b",
  "a\x00b",
  "x".repeat(5000),
  "\xff",
  " two  spaces ",
];

const FIELDS = [
  ...["a=1; Path=/", "a=1; Domain=127.0.0.1; Secure", "=", "\xe9", "__prerender_bypass=; Max-Age=0"].map(
    (value) => `set-cookie: ${value}`,
  ),
  ...[
    "/x",
    "http://127.0.0.1:1/x",
    "//evil.example",
    "",
    "\xe9",
    "?",
    "http://[::1",
    "javascript:x",
    "/a b",
    "/\x01",
    "../x",
  ].map((value) => `location: ${value}`),
  ...["</x>; rel=preload", "<http://127.0.0.1/x>; rel=next", "<", "\xe9"].map((value) => `link: ${value}`),
  ...["*", "accept-encoding", "x-variant, cookie", "\xe9", ",,"].map((value) => `vary: ${value}`),
  ...[
    "max-age=60",
    "public, s-maxage=60, stale-while-revalidate=60",
    "no-store",
    "private",
    'no-cache="x"',
    "max-age=",
    "max-age=9e99",
    "\xe9",
  ].map((value) => `cache-control: ${value}`),
  ...['"a"', 'W/"a"', "a", '"', '"\xe9"'].map((value) => `etag: ${value}`),
  ...["Tue, 01 Dec 2026 00:00:00 GMT", "x", "0"].flatMap((value) => [
    `last-modified: ${value}`,
    `expires: ${value}`,
    `date: ${value}`,
  ]),
  ...["0", "9999999999", "-1", "x"].flatMap((value) => [`age: ${value}`, `retry-after: ${value}`]),
  ...["gzip", "identity", "br", "x", ""].map((value) => `content-encoding: ${value}`),
  ...["text/event-stream", "application/json", "text/html; charset=utf-8", "", "\xe9"].map((value) => `content-type: ${value}`),
  ...["NTLM", "Negotiate", 'Basic realm="x"', 'Bearer error="\xe9"', ""].map((value) => `www-authenticate: ${value}`),
  ...["close", "keep-alive", "x-fuzz-answer", "content-length", "upgrade", ","].map((value) => `connection: ${value}`),
  ...["chunked", "gzip, chunked", "identity", "chunked, chunked", "x"].map((value) => `transfer-encoding: ${value}`),
  ...["0", "5", "-1", "1e3", "5, 5", "99999999999999999999"].map((value) => `content-length: ${value}`),
  ..."x-middleware-next: 1,x-middleware-rewrite: /gateway,x-middleware-set-cookie: a=1,x-gateway-error: internal,x-nextjs-redirect: /x".split(
    ",",
  ),
  ..."x-gateway-plan: x,cdn-cache-control: max-age=9,surrogate-key: a,keep-alive: timeout=1,proxy-authenticate: Basic,te: x,trailer: x-a".split(
    ",",
  ),
  ..."upgrade: h2c,alt-svc: h3=x,strict-transport-security: max-age=1,clear-site-data: *,x-a: \xf0\x9f\x98\x80,x-a: \x7f,x-a: a\x00b".split(
    ",",
  ),
  ..."content-range: bytes 0-1/5,content-range: x,accept-ranges: bytes,access-control-allow-origin: *,server: x,__proto__: x,: x,x a: b".split(
    ",",
  ),
  `x-huge: ${"y".repeat(20_000)}`,
  "x-cr: a\rb",
  "x-fold: a\r\n b",
  "x-no-colon",
  "x_under: 1",
];

const INTERIM = [
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 102 Processing\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n",
  "HTTP/1.1 103 \xe9\r\nlink: \xe9\r\nset-cookie: a=1\r\n\r\n",
  "HTTP/1.1 199 x\r\n\r\n",
  "HTTP/1.1 100 Continue\r\ncontent-length: 5\r\n\r\n",
];

/** Everything that goes well: what is expected of most backends. */
export function soundAnswer(random: Random, name: string): AnswerStep[] {
  const body = "x".repeat(random.pick([0, 1, 2, 100, 5000]));
  return [
    { takeRequest: true },
    { write: `HTTP/1.1 200 OK\r\n${ANSWER_FIELD}: ${name}\r\ncontent-length: ${body.length}\r\n\r\n${body}` },
  ];
}

export function drawAnswer(random: Random, name: string): AnswerStep[] {
  const steps: AnswerStep[] = random.chance(0.8) ? [{ takeRequest: true }] : [];
  if (random.chance(0.03))
    return [...steps, random.pick<AnswerStep>([{ reset: true }, { end: true }, { waitMs: 600 }, { write: random.bytes(50) }])];
  if (random.chance(0.1))
    for (let i = random.between(1, 40); i > 0; i = random.chance(0.7) ? 0 : i - 1) steps.push({ write: random.pick(INTERIM) });
  return broken(random, [...steps, ...(random.chance(0.12) ? eventStream(random) : answerOf(random, name))]);
}

/** A WebSocket is accepted, or not quite. */
export function drawUpgradeAnswer(random: Random, name: string): AnswerStep[] {
  if (random.chance(0.2)) return drawAnswer(random, name);
  const fields = random.few(3, () =>
    random.pick(["Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Protocol: chat", ...FIELDS]),
  );
  const accepted = { accept: `${fields.map((line) => `${line}\r\n`).join("")}\r\n` };
  return broken(random, [
    accepted,
    ...random.few(4, () => ({ write: frames(random, false) })),
    ...(random.chance(0.5) ? [{ end: true as const }] : []),
  ]);
}

function answerOf(random: Random, name: string): AnswerStep[] {
  const status = `HTTP/1.${random.chance(0.05) ? 0 : 1} ${random.pick(STATUSES)} ${random.pick(PHRASES)}`;
  const fields = [`${ANSWER_FIELD}: ${name}`, ...random.few(8, () => random.pick(FIELDS))];
  if (random.chance(0.01)) fields.push(...Array.from({ length: random.between(50, 4000) }, (_, i) => `x-many-${i}: ${i}`));
  const plain = random.pick(["", "ok", '{"a":1}', "x".repeat(random.pick([1000, 20_000, 100_000]))]);
  const isGzip = random.chance(0.1);
  const gzip = isGzip ? gzipSync(plain).toString("latin1") : "";
  const body = isGzip ? gzip.slice(0, random.chance(0.5) ? gzip.length : random.below(gzip.length)) : plain;
  if (isGzip) fields.push("content-encoding: gzip");
  const head = (framing: string[]) => `${[status, ...fields, ...framing].join("\r\n")}\r\n\r\n`;
  const drawn = random.next();
  if (drawn < 0.5) return [{ write: head([`content-length: ${body.length}`]) + body }];
  if (drawn < 0.75) return [{ write: head(["transfer-encoding: chunked"]) }, ...chunks(random, body)];
  if (drawn < 0.85) return [{ write: head([]) + body }, { end: true }];
  if (drawn < 0.9)
    return [{ write: head([`content-length: ${body.length + 5}`]) + body }, random.chance(0.5) ? { end: true } : { reset: true }];
  if (drawn < 0.94) return [{ write: head([`content-length: ${Math.max(0, body.length - 2)}`]) + body }];
  return [{ write: head([]) }];
}

function chunks(random: Random, body: string): AnswerStep[] {
  const steps: AnswerStep[] = [];
  for (let at = 0; at < body.length; ) {
    const size = random.between(1, random.pick([10, 3000, 60_000]));
    const piece = body.slice(at, at + size);
    if (steps.length < 30) steps.push({ write: `${piece.length.toString(16)}\r\n${piece}\r\n` });
    if (random.chance(0.1)) steps.push({ waitMs: random.between(1, 30) });
    at += size;
  }
  const end = random.pick([
    "0\r\n\r\n",
    "0\r\n\r\n",
    "0\r\n\r\n",
    "0\r\n\r\n",
    "0\r\nx-a: \xe9\r\n\r\n",
    "0\r\ncontent-length: 5\r\n\r\n",
    "zz\r\n",
    "",
  ]);
  return [...steps, { write: end }];
}

function eventStream(random: Random): AnswerStep[] {
  const events = random.few(6, () =>
    random.pick([
      "data: x\n\n",
      ": c\n\n",
      "data: x\r\n\r\n",
      "data: x",
      "\n",
      "id: \x00\n\n",
      "data: caf\xc3\xa9\n\n",
      "retry: 1\n\n",
      "\r",
    ]),
  );
  const steps = events.flatMap((event): AnswerStep[] => [{ write: event }, { waitMs: random.pick([0, 5, 60, 120]) }]);
  return [{ write: "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n" }, ...steps, { end: true }];
}

/** One in six is cut, delayed, reset or followed by more than it should be. */
function broken(random: Random, steps: AnswerStep[]): AnswerStep[] {
  if (!random.chance(0.16)) return steps;
  const at = random.below(steps.length);
  const step = steps[at]!;
  const fault = random.pick<AnswerStep>([{ reset: true }, { end: true }, { waitMs: random.between(1, 80) }, { waitMs: 600 }]);
  if ("write" in step && random.chance(0.7)) {
    const cut = random.below(step.write.length + 1);
    return [
      ...steps.slice(0, at),
      { write: step.write.slice(0, cut) },
      fault,
      { write: step.write.slice(cut) },
      ...steps.slice(at + 1),
    ];
  }
  return [...steps.slice(0, at), fault, ...steps.slice(at)];
}
