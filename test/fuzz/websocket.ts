/** WebSocket handshakes and frames: sound ones, and such as break one rule of RFC 6455 or RFC 7692. */
import { deflateRawSync } from "node:zlib";
import { CASE_FIELD } from "./fuzz-case.ts";
import type { Random } from "./random.ts";

export function handshake(random: Random, name: string): string {
  const path = random.pick([
    "/calm/ws",
    "/small/ws",
    "/x",
    "/cached/ws",
    "/stream/ws",
    "/people/ws",
    "/once/ws",
    "/gateway/ws",
    "/rewrite/ws?name=a",
  ]);
  const lines = [
    `GET ${path} HTTP/1.1`,
    "Host: gateway.example",
    `${CASE_FIELD}: ${name}`,
    `Connection: ${random.pick(["Upgrade", "Upgrade", "keep-alive, Upgrade", "close, upgrade"])}`,
    `Upgrade: ${random.pick(["websocket", "websocket", "websocket", "WebSocket", "websocket, h2c"])}`,
    `Sec-WebSocket-Key: ${random.chance(0.95) ? "dGhlIHNhbXBsZSBub25jZQ==" : "x"}`,
    `Sec-WebSocket-Version: ${random.chance(0.95) ? 13 : 8}`,
  ];
  if (random.chance(0.4)) lines.push("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits");
  if (random.chance(0.2)) lines.push("Sec-WebSocket-Protocol: chat, superchat");
  if (random.chance(0.05)) lines.push("Content-Length: 3");
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Frames in a row, of a client (masked) or of a server. */
export function frames(random: Random, isMasked: boolean): string {
  return random.few(12, () => frame(random, isMasked)).join("");
}

function frame(random: Random, isMasked: boolean): string {
  const opcode = random.pick([0, 1, 1, 1, 2, 2, 8, 9, 10, 3, 11]);
  const isCompressed = random.chance(0.15);
  const content = random.pick([
    () => "hello",
    () => random.bytes(random.between(0, 200)),
    () => "x".repeat(random.pick([125, 126, 511, 512, 513, 65_535, 65_536, 70_000])),
    () => "\x03\xe8bye",
    () => "\x03",
    () => "\xff\xff\xff",
    () => "",
  ])();
  const payload = isCompressed && random.chance(0.9) ? deflateRawSync(content).toString("latin1") : content;
  const first = (random.chance(0.8) ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | (random.chance(0.03) ? 0x20 : 0) | opcode;
  const masks = random.chance(0.03) ? !isMasked : isMasked;
  return String.fromCharCode(first) + lengthBytes(random, payload.length, masks) + (masks ? mask(random, payload) : payload);
}

function lengthBytes(random: Random, length: number, masks: boolean): string {
  const stated = random.chance(0.03) ? random.pick([length + 1, 2 ** 31, 2 ** 53, 5]) : length;
  const bit = masks ? 0x80 : 0;
  if (stated < 126 && !random.chance(0.03)) return String.fromCharCode(bit | stated);
  const bytes = Buffer.alloc(stated < 65_536 ? 3 : 9);
  bytes[0] = bit | (stated < 65_536 ? 126 : 127);
  if (stated < 65_536) bytes.writeUInt16BE(stated, 1);
  else bytes.writeBigUInt64BE(BigInt(stated), 1);
  return bytes.toString("latin1");
}

function mask(random: Random, payload: string): string {
  const key = Buffer.from(random.bytes(4), "latin1");
  const bytes = Buffer.from(payload, "latin1");
  for (let i = 0; i < bytes.length; i++) bytes[i]! ^= key[i % 4]!;
  return key.toString("latin1") + bytes.toString("latin1");
}
