/**
 * RFC 6455 section by section, as a conformance suite tries a server: frames on a bare socket, through the gateway, to an echo at the
 * backend. A case ends with the echo of a message, with a Pong, or with the status code of a Close.
 */
import { describe, expect, test } from "vitest";
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from "#lib/proxy/websocket/control-frame.ts";
import type { RawConnection } from "../../support/raw-client.ts";
import { openRaw, setUpConversations } from "./conversations.ts";
import { frame } from "./frames.ts";

setUpConversations();

const text = (words: string | Uint8Array, rest = {}) => frame({ opcode: TEXT, payload: Buffer.from(words), ...rest });
const more = (words: string | Uint8Array, rest = {}) => frame({ opcode: CONTINUATION, payload: Buffer.from(words), ...rest });
const binary = (payload: Uint8Array, rest = {}) => frame({ opcode: BINARY, payload, ...rest });
const ping = (payload: string | Uint8Array = "") => frame({ opcode: PING, payload: Buffer.from(payload) });
const close = (code?: number, reason = "") => {
  const payload = code === undefined ? [] : [code >> 8, code & 255, ...Buffer.from(reason)];
  return frame({ opcode: CLOSE, payload: Uint8Array.from(payload) });
};
const bytes = (length: number) => Buffer.alloc(length, 0xfe);

/** A frame of the server: a text, bytes, `pong` with its payload, or a Close as its code. */
async function nextFrame(connection: RawConnection): Promise<unknown> {
  const head = await connection.readBytes(2);
  if (!head) return "end";
  let length = head[1]!;
  if (length === 126) length = (await connection.readBytes(2))!.readUInt16BE();
  else if (length === 127) length = Number((await connection.readBytes(8))!.readBigUInt64BE());
  const payload = length === 0 ? Buffer.alloc(0) : await connection.readBytes(length);
  if (!payload) return "end";
  const opcode = head[0]! & 0x0f;
  if (opcode === CLOSE) return payload.length === 0 ? "close" : payload.readUInt16BE();
  if (opcode === PONG) return `pong ${payload}`;
  return opcode === TEXT ? payload.toString() : payload;
}

/** Stands where the next frame of the server is waited for before more is sent. */
const ANSWERED = Symbol("answered");

/** The frames that come back, `count` of them or until the connection has ended. */
async function conversation(sent: readonly (Buffer | typeof ANSWERED)[], count: number): Promise<unknown[]> {
  const connection = await openRaw("/sockets/echo");
  const head = await connection.readUntil("\r\n\r\n");
  await connection.readBytes(head.indexOf("\r\n\r\n") + 4);
  const said: unknown[] = [];
  for (const piece of sent) {
    if (piece === ANSWERED) said.push(await nextFrame(connection));
    else connection.write(piece);
  }
  while (said.length < count && said.at(-1) !== "end") said.push(await nextFrame(connection));
  connection.close();
  return said;
}

const pieces = (whole: Buffer, size: number) =>
  Array.from({ length: Math.ceil(whole.length / size) }, (_, index) => whole.subarray(index * size, (index + 1) * size));

type Case = [what: string, sent: (Buffer | typeof ANSWERED)[], answer: unknown[]];

describe.each<[section: string, cases: Case[]]>([
  [
    "5.2: lengths, for text and binary, whole and byte by byte",
    [
      ...[0, 1, 125, 126, 127, 128, 65_535, 65_536].flatMap((length): Case[] => [
        [`a text of ${length}`, [text("*".repeat(length))], ["*".repeat(length)]],
        [`${length} bytes`, [binary(bytes(length))], [bytes(length)]],
      ]),
      ["126 bytes, one by one", pieces(binary(bytes(126)), 1), [bytes(126)]],
      ["65,536 bytes in pieces of 997", pieces(binary(bytes(65_536)), 997), [bytes(65_536)]],
      ["three messages in one piece", [Buffer.concat([text("a"), text("b"), text("c")])], ["a", "b", "c"]],
      ["a length in more bytes than it needs", [Buffer.from([0x82, 0xfe, 0, 1, 0, 0, 0, 0, 7])], [1002]],
      ["the same in eight", [Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 7])], [1002]],
    ],
  ],
  [
    "5.2: reserved bits",
    [1, 2, 3, 4, 5, 6, 7].flatMap((bits): Case[] => [
      [`${bits} on a text`, [text("a", { rsv: bits << 4 })], [1002]],
      [`${bits} on a text after a good one`, [text("a"), ANSWERED, text("b", { rsv: bits << 4 }), ping()], ["a", 1002]],
      [`${bits} on a Ping`, [frame({ opcode: PING, rsv: bits << 4 })], [1002]],
      [`${bits} on a Close`, [frame({ opcode: CLOSE, rsv: bits << 4 })], [1002]],
    ]),
  ],
  [
    "5.2: reserved opcodes",
    [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode): Case[] => [
      [`${opcode}, empty`, [frame({ opcode })], [1002]],
      [
        `${opcode}, between messages`,
        [text("a"), ANSWERED, frame({ opcode, payload: Buffer.from("x") }), text("b")],
        ["a", 1002],
      ],
    ]),
  ],
  [
    "5.1: masking",
    [
      ["a text without a mask", [text("a", { masked: false })], [1002]],
      ["a Ping without a mask", [frame({ opcode: PING, masked: false })], [1002]],
    ],
  ],
  [
    "5.4: fragments",
    [
      ["of a text", [text("one ", { final: false }), more("two")], ["one two"]],
      ["of bytes", [binary(bytes(9), { final: false }), more(bytes(2))], [bytes(11)]],
      ["that are empty", [text("", { final: false }), more("", { final: false }), more("")], [""]],
      ["with an empty one in the middle", [text("a", { final: false }), more("", { final: false }), more("b")], ["ab"]],
      ["with a Ping in between", [text("a", { final: false }), ping("now"), more("b")], ["pong now", "ab"]],
      [
        "two hundred of one byte",
        [text("x", { final: false }), ...Array(198).fill(more("x", { final: false })), more("x")],
        ["x".repeat(200)],
      ],
      ["a continuation of nothing, last", [more("a")], [1002]],
      ["a continuation of nothing, to be continued", [more("a", { final: false }), text("b")], [1002]],
      ["a continuation after a whole message", [text("a"), ANSWERED, more("b")], ["a", 1002]],
      ["a text inside a text", [text("a", { final: false }), text("b")], [1002]],
      ["bytes inside a text", [text("a", { final: false }), binary(bytes(1))], [1002]],
    ],
  ],
  [
    "5.5: control frames",
    [
      ["a Ping without a payload", [ping()], ["pong "]],
      ["a Ping with one", [ping("hello")], ["pong hello"]],
      ["a Ping of 125 bytes", [ping("*".repeat(125))], [`pong ${"*".repeat(125)}`]],
      ["a Ping of 126 bytes", [ping("*".repeat(126))], [1002]],
      ["a Ping of 125, byte by byte", pieces(ping("*".repeat(125)), 1), [`pong ${"*".repeat(125)}`]],
      ["ten Pings", Array.from({ length: 10 }, (_, i) => ping(String(i))), Array.from({ length: 10 }, (_, i) => `pong ${i}`)],
      ["a Pong that nobody asked for", [frame({ opcode: PONG, payload: Buffer.from("x") }), ping("p")], ["pong p"]],
      ["a Ping in fragments", [frame({ opcode: PING, final: false }), more("")], [1002]],
      ["a Close in fragments", [frame({ opcode: CLOSE, final: false }), more("")], [1002]],
      ["a Close of 126 bytes", [close(1000, "*".repeat(124))], [1002]],
    ],
  ],
  [
    "5.5.1 and 7.4: Close",
    [
      ["without a code", [close()], ["close", "end"]],
      ["with half a code", [frame({ opcode: CLOSE, payload: bytes(1) })], [1002]],
      ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].map(
        (code): Case => [`with ${code}`, [close(code, "words")], [code, "end"]],
      ),
      ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map(
        (code): Case => [`with ${code}, which may not be sent`, [close(code)], [1002]],
      ),
      ["with a reason that is no UTF-8", [frame({ opcode: CLOSE, payload: Uint8Array.from([3, 0xe8, 0xff]) })], [1007]],
      ["with nothing read after it", [close(1000), text("late"), ping()], [1000, "end"]],
      ["after a message", [text("a"), close(1000)], ["a", 1000, "end"]],
      ["in the middle of a message", [text("a", { final: false }), close(1000), more("b")], [1000, "end"]],
    ],
  ],
  [
    "8.1: UTF-8",
    [
      ["of two, three and four bytes", [text("κόσμε ✓ 😀")], ["κόσμε ✓ 😀"]],
      [
        "cut within a character by a fragment",
        [text(Buffer.from("é").subarray(0, 1), { final: false }), more(Buffer.from("é").subarray(1))],
        ["é"],
      ],
      ["that is none", [text(Uint8Array.from([0xce, 0xba, 0xff]))], [1007]],
      ["an overlong slash", [text(Uint8Array.from([0xc0, 0xaf]))], [1007]],
      ["half of a surrogate pair", [text(Uint8Array.from([0xed, 0xa0, 0x80]))], [1007]],
      ["past U+10FFFF", [text(Uint8Array.from([0xf4, 0x90, 0x80, 0x80]))], [1007]],
      ["that ends within a character", [text(Uint8Array.from([0xce]))], [1007]],
    ],
  ],
])("section %s", (_, cases) => {
  test.each(cases)("%s", async (_what, sent, answer) => {
    expect(await conversation(sent, answer.length)).toEqual(answer);
  });
});
