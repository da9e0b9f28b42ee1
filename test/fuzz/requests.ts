/** Requests as bytes, well formed in most of their parts: heads from the dictionary, bodies of every framing. */
import { gzipSync } from "node:zlib";
import { ADMIN_TOKEN } from "../support/host-process.ts";
import { field, HOSTS, METHODS, ownTarget, target } from "./dictionary.ts";
import { CASE_FIELD, SMUGGLED_TARGET } from "./fuzz-case.ts";
import type { Random } from "./random.ts";

export interface DrawnRequest {
  readonly head: string;
  readonly body: string;
}

/** A request that must stay the body that it is. */
const smuggled = (name: string) => `GET ${SMUGGLED_TARGET}/${name} HTTP/1.1\r\nHost: gateway.example\r\n\r\n`;

/** `name` says which answer it asks for. */
export function drawRequest(random: Random, name: string): DrawnRequest {
  const isOwn = random.chance(0.06);
  const method = random.pick(METHODS);
  const host = random.chance(0.15) ? random.pick(HOSTS) : "gateway.example";
  const lines = [`${method} ${isOwn ? ownTarget(random) : target(random)} HTTP/1.${random.chance(0.03) ? 0 : 1}`];
  if (!random.chance(0.01)) lines.push(`Host: ${host}`);
  lines.push(`${CASE_FIELD}: ${name}`);
  const fields = random.few(14, () => field(random));
  if (isOwn && random.chance(0.7)) fields.push(`authorization: Bearer ${ADMIN_TOKEN}`);
  if (random.chance(0.05) && fields.length > 0) fields.push(random.pick(fields));
  if (random.chance(0.01)) fields.push(...Array.from({ length: random.between(50, 2500) }, (_, i) => `x-many-${i}: ${i}`));
  const { framing, body } = drawBody(random, method, name);
  return { head: `${[...lines, ...fields, ...framing].join("\r\n")}\r\n\r\n`, body };
}

/** A request that is whole and has nothing odd in it: what is in front of others on a connection. */
export function plainRequest(random: Random, name: string): string {
  const path = random.pick(["/calm/a", "/own", "/x", "/gateway/health", "/cached/a", "/nothing"]);
  return `GET ${path} HTTP/1.1\r\nHost: gateway.example\r\n${CASE_FIELD}: ${name}\r\n\r\n`;
}

function drawBody(random: Random, method: string, name: string): { framing: string[]; body: string } {
  const hasBody = /^(?:POST|PUT|PATCH|QUERY)$/.test(method) ? random.chance(0.9) : random.chance(0.15);
  if (!hasBody) return { framing: random.chance(0.05) ? ["content-length: 0"] : [], body: "" };
  const bytes = drawBytes(random, name);
  const drawn = random.next();
  if (drawn < 0.45) return { framing: [`content-length: ${bytes.length}`], body: bytes };
  if (drawn < 0.85) return { framing: ["transfer-encoding: chunked"], body: chunked(random, bytes) };
  if (drawn < 0.9) return { framing: [`content-length: ${bytes.length + random.between(1, 2000)}`], body: bytes };
  if (drawn < 0.93)
    return { framing: [`content-length: ${bytes.length}`], body: `${bytes}${smuggled(name).slice(random.between(1, 2))}` };
  if (drawn < 0.96)
    return { framing: [`content-length: ${random.pick([65_537, 10_000_000, 1e15, "1e3", "-1", "+1", "1, 1"])}`], body: bytes };
  return { framing: ["transfer-encoding: chunked", `content-length: ${bytes.length}`], body: chunked(random, bytes) };
}

function drawBytes(random: Random, name: string): string {
  const draw = [
    () => smuggled(name),
    () => random.bytes(random.between(1, 300)),
    () => '{"a":1}',
    () => "secret",
    () => "x".repeat(random.pick([1, 511, 512, 513, 1000, 1024, 2049, 16_384, 65_535, 65_536, 65_537, 90_000])),
    () => gzipSync("x".repeat(random.between(1, 100_000))).toString("latin1"),
    () => '{"__proto__":{"a":1},"on":"x"}',
    () => "",
  ];
  return random.pick(draw)();
}

function chunked(random: Random, bytes: string): string {
  let [left, body] = [bytes, ""];
  while (left.length > 0) {
    const size = random.between(1, Math.min(left.length, random.pick([1, 10, 1000, 70_000])));
    if (body.length > 200_000) break;
    body += `${size.toString(16)}${random.chance(0.02) ? ";a=b" : ""}\r\n${left.slice(0, size)}\r\n`;
    left = left.slice(size);
    if (random.chance(0.01)) return `${body}zz\r\n`;
  }
  const trailers = random.chance(0.05) ? `${field(random)}\r\n` : "";
  return random.chance(0.03) ? body : `${body}0\r\n${trailers}\r\n`;
}
