/** What the reader of frames lets pass, byte for byte, and what it calls a fault. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BINARY, CLOSE, CONTINUATION, closeFrame, controlFrame, PING, PONG, TEXT } from "#lib/proxy/websocket/control-frame.ts";
import { FrameReader, type FrameRules, payloadOfMessage } from "#lib/proxy/websocket/frame-reader.ts";
import { frame } from "./frames.ts";

const RULES: FrameRules = { isMasked: true, maxMessageBytes: 100_000, allowsRsv1: false, holdsCompressed: false };

function readAll(chunks: readonly Buffer[], rules: Partial<FrameRules> = {}) {
  const reader = new FrameReader({ ...RULES, ...rules });
  const passed: Buffer[] = [];
  const controls: { opcode: number; payload: string }[] = [];
  let fault: ReturnType<FrameReader["read"]>;
  for (const chunk of chunks) {
    fault ??= reader.read(chunk, {
      data: (bytes) => passed.push(Buffer.from(bytes)),
      control: (opcode, bytes, payload) => {
        passed.push(Buffer.from(bytes));
        controls.push({ opcode, payload: Buffer.from(payload).toString("latin1") });
      },
      compressed: () => {},
    });
  }
  return { reader, bytes: Buffer.concat(passed), writes: passed.length, controls, fault };
}

const aPayload = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.constantFrom(0, 125, 126, 65_535, 65_536).map((size) => new Uint8Array(size).fill(7)),
);
const aControl = fc.record({ opcode: fc.constantFrom(PING, PONG), payload: fc.uint8Array({ maxLength: 125 }) });
/** A message in up to three fragments, with control frames in between (section 5.4). */
const aMessage = fc
  .tuple(fc.constantFrom(TEXT, BINARY), fc.array(fc.tuple(aPayload, fc.option(aControl)), { minLength: 1, maxLength: 3 }))
  .map(([opcode, parts]) =>
    parts.flatMap(([payload, control], index) => [
      frame({ opcode: index === 0 ? opcode : CONTINUATION, payload, final: index === parts.length - 1 }),
      ...(control ? [frame(control)] : []),
    ]),
  );

describe("what is right", () => {
  test("passes byte for byte, however it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(aMessage, { maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }),
        (messages, sizes) => {
          const whole = Buffer.concat(messages.flat());
          const chunks: Buffer[] = [];
          for (let at = 0, turn = 0; at < whole.length; turn++) {
            const size = sizes[turn % sizes.length]!;
            chunks.push(whole.subarray(at, at + size));
            at += size;
          }
          const { bytes, fault, reader } = readAll(chunks, { maxMessageBytes: 1_000_000 });
          expect(fault).toBeUndefined();
          expect(bytes.equals(whole)).toBe(true);
          expect(reader.isBetweenFrames).toBe(true);
        },
      ),
    );
  });

  test("leaves in as few pieces as it came in", () => {
    const whole = Buffer.concat([
      frame({ opcode: TEXT, payload: Buffer.from("a") }),
      frame({ opcode: TEXT, payload: Buffer.from("b") }),
    ]);
    expect(readAll([whole]).writes).toBe(1);
  });

  test("is known to be in the middle of a frame", () => {
    const whole = frame({ opcode: TEXT, payload: Buffer.from("hello") });
    expect(readAll([whole.subarray(0, -1)]).reader.isBetweenFrames).toBe(false);
    // Of a header in pieces nothing has passed yet.
    expect(readAll([whole.subarray(0, 3)])).toMatchObject({ writes: 0, reader: { isBetweenFrames: true } });
  });

  test("has its control frames unmasked to be read, not to be passed on", () => {
    const ping = frame({ opcode: PING, payload: Buffer.from("are you there") });
    const { controls, bytes } = readAll([ping.subarray(0, 9), ping.subarray(9)]);
    expect(controls).toEqual([{ opcode: PING, payload: "are you there" }]);
    expect(bytes).toEqual(ping);
  });

  test("ends with a Close: what comes after it is dropped (section 5.5.1)", () => {
    const close = closeFrame(1000, "bye", true);
    const after = frame({ opcode: TEXT, payload: Buffer.from("too late") });
    const { bytes, controls } = readAll([Buffer.concat([close, after]), after]);
    expect(bytes).toEqual(close);
    expect(controls).toEqual([{ opcode: CLOSE, payload: "\x03\xe8bye" }]);
  });

  test("may be compressed where that was agreed (RFC 7692 section 6)", () => {
    const compressed = [frame({ opcode: TEXT, rsv: 0x40, final: false }), frame({ opcode: CONTINUATION })];
    expect(readAll(compressed, { allowsRsv1: true }).fault).toBeUndefined();
  });

  test("held while compressed comes whole and one by one, with control frames in between let through", () => {
    const parts = [
      frame({ opcode: TEXT, rsv: 0x40, final: false, payload: Buffer.from("ab") }),
      frame({ opcode: PING, payload: Buffer.from("?") }),
      frame({ opcode: CONTINUATION, payload: Buffer.from("cd") }),
      frame({ opcode: TEXT, payload: Buffer.from("plain") }),
    ];
    const whole = Buffer.concat(parts);
    for (let cut = 0; cut <= whole.length; cut++) {
      const reader = new FrameReader({ ...RULES, allowsRsv1: true, holdsCompressed: true });
      const passed: Buffer[] = [];
      const listener = {
        data: (bytes: Buffer) => void passed.push(Buffer.from(bytes)),
        control: (_: number, bytes: Buffer) => void passed.push(Buffer.from(bytes)),
        compressed: (bytes: Buffer) => void passed.push(bytes),
      };
      for (const piece of [whole.subarray(0, cut), whole.subarray(cut), Buffer.alloc(0)]) reader.read(piece, listener);
      const [ping, message, ...plain] = passed;
      expect([ping, message, Buffer.concat(plain)]).toEqual([parts[1], Buffer.concat([parts[0]!, parts[2]!]), parts[3]]);
      expect(payloadOfMessage(message!).toString()).toBe("abcd");
    }
  });

  test("made by ourselves is right too", () => {
    expect(readAll([controlFrame(PING, Buffer.from("x"), true), closeFrame(1001, "", true)]).fault).toBeUndefined();
    expect(
      readAll([controlFrame(PING, Buffer.from("x"), false), closeFrame(1001, "", false)], { isMasked: false }).fault,
    ).toBeUndefined();
  });
});

describe("a fault", () => {
  const text = Buffer.from("hello");
  test.each<[string, Buffer[], number, Partial<FrameRules>?]>([
    ["a client's frame without a mask", [frame({ opcode: TEXT, payload: text, masked: false })], 1002],
    ["a backend's frame with one", [frame({ opcode: TEXT, payload: text })], 1002, { isMasked: false }],
    ["a reserved opcode for data", [frame({ opcode: 3 })], 1002],
    ["a reserved opcode for control", [frame({ opcode: 0xb })], 1002],
    ["RSV1 without an extension", [frame({ opcode: TEXT, rsv: 0x40 })], 1002],
    [
      "RSV1 within a message",
      [frame({ opcode: TEXT, final: false }), frame({ opcode: CONTINUATION, rsv: 0x40 })],
      1002,
      { allowsRsv1: true },
    ],
    ["RSV1 on a control frame", [frame({ opcode: PING, rsv: 0x40 })], 1002, { allowsRsv1: true }],
    ["RSV2", [frame({ opcode: TEXT, rsv: 0x20 })], 1002, { allowsRsv1: true }],
    ["RSV3", [frame({ opcode: TEXT, rsv: 0x10 })], 1002, { allowsRsv1: true }],
    ["a control frame in fragments", [frame({ opcode: PING, final: false })], 1002],
    ["a control frame of 126 bytes", [frame({ opcode: PING, payload: new Uint8Array(126) })], 1002],
    ["a Close with half a code", [frame({ opcode: CLOSE, payload: new Uint8Array(1) })], 1002],
    ["a message inside another", [frame({ opcode: TEXT, final: false }), frame({ opcode: TEXT })], 1002],
    ["a continuation of nothing", [frame({ opcode: CONTINUATION })], 1002],
    ["a message over the limit", [frame({ opcode: BINARY, payload: new Uint8Array(6) })], 1009, { maxMessageBytes: 5 }],
    [
      "fragments over the limit",
      [frame({ opcode: BINARY, payload: text, final: false }), frame({ opcode: CONTINUATION, payload: text })],
      1009,
      { maxMessageBytes: 9 },
    ],
    [
      "a length beyond all limits",
      [Buffer.from([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4])],
      1009,
      { maxMessageBytes: Number.MAX_SAFE_INTEGER },
    ],
  ])("%s", (_, frames, code, rules) => {
    const before = frame({ opcode: TEXT, payload: Buffer.from("before"), masked: rules?.isMasked ?? true });
    const limit = rules?.maxMessageBytes === 5 || rules?.maxMessageBytes === 9;
    const whole = Buffer.concat(limit ? frames : [before, ...frames]);
    const { fault, bytes } = readAll([whole], rules);
    expect(fault?.code).toBe(code);
    // What came before it has passed; of the frame itself nothing has, so that a Close of ours can follow.
    expect(bytes.length).toBe(whole.length - frames.at(-1)!.length);
  });

  test("is found at the header: no payload is waited for", () => {
    const huge = Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]);
    expect(readAll([huge]).fault?.code).toBe(1009);
  });

  test("counts each message anew, whatever stands between its fragments", () => {
    const half = frame({ opcode: TEXT, payload: new Uint8Array(5), final: false });
    const rest = frame({ opcode: CONTINUATION, payload: new Uint8Array(5) });
    const ping = frame({ opcode: PING, payload: new Uint8Array(100) });
    expect(readAll([half, ping, rest, half, rest], { maxMessageBytes: 10 }).fault).toBeUndefined();
  });
});
