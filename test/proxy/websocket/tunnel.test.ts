/** An open conversation between two streams, with a clock of the test's own: signs of life, waiting, and ends. */
import { Duplex, duplexPair } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { closeFrame, controlFrame, PING, PONG, TEXT } from "#lib/proxy/websocket/control-frame.ts";
import { CLOSE_TIMEOUT_MS, PING_INTERVAL_MS, WebSocketTunnel } from "#lib/proxy/websocket/tunnel.ts";
import { until } from "../../support/until.ts";

// `until` waits in real time.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

const nextTick = () => vi.advanceTimersByTime(PING_INTERVAL_MS);
const text = (masked: boolean, words: string) => controlFrame(TEXT, Buffer.from(words), masked);

interface End {
  readonly stream: Duplex;
  /** What has come out at this end. */
  readonly received: () => Buffer;
  hasEnded: boolean;
}

function openEnd(stream: Duplex): End {
  const chunks: Buffer[] = [];
  const end: End = { stream, received: () => Buffer.concat(chunks), hasEnded: false };
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    end.hasEnded = true;
  });
  stream.on("error", () => {});
  return end;
}

function open(sides: Partial<{ client: Duplex; backend: Duplex }> = {}) {
  const [clientSide, clientEnd] = duplexPair();
  const [backendSide, backendEnd] = duplexPair();
  const ends: { isClean: boolean; reason: string | undefined }[] = [];
  const bytes = { client: 0, backend: 0 };
  const client = sides.client ?? clientSide;
  const backend = sides.backend ?? backendSide;
  const tunnel = new WebSocketTunnel({
    client,
    backend,
    maxMessageBytes: 1_000,
    isCompressed: false,
    idleMs: undefined,
    lifeMs: undefined,
    onBytes: (from, count) => {
      bytes[from] += count;
    },
    onEnd: (isClean, reason) => ends.push({ isClean, reason }),
  });
  return { tunnel, client: openEnd(clientEnd), backend: openEnd(backendEnd), sides: { client, backend }, ends, bytes };
}

const opcodes = (end: End) => end.received()[0]! & 0xf;
const payloadSent = (end: End, masked: boolean) => {
  const frame = end.received();
  const payload = frame.subarray(masked ? 6 : 2);
  return masked ? payload.map((byte, index) => byte ^ frame[2 + (index & 3)]!) : payload;
};

describe("signs of life", () => {
  test("are asked of whoever said nothing, and not of who did", async () => {
    const { client, backend } = open();
    client.stream.write(text(true, "hello"));
    await until(() => backend.received().length > 0, "the message at the backend");
    const before = backend.received().length;
    nextTick();
    await until(() => backend.received().length > before, "a Ping at the backend");
    expect(backend.received()[before]).toBe(0x80 | PING);
    expect(client.received()).toHaveLength(0);
    nextTick();
    await until(() => client.received().length > 0, "a Ping at the client");
    expect(opcodes(client)).toBe(PING);
  });

  test("are masked to a backend and are not passed on to the other side", async () => {
    const { client, backend } = open();
    nextTick();
    await until(() => client.received().length > 0 && backend.received().length > 0, "both Pings");
    expect(client.received()[1]! & 0x80).toBe(0);
    expect(backend.received()[1]! & 0x80).toBe(0x80);
    const asked = [client.received().length, backend.received().length];
    client.stream.write(controlFrame(PONG, payloadSent(client, false), true));
    backend.stream.write(controlFrame(PONG, payloadSent(backend, true), false));
    client.stream.write(controlFrame(PONG, Buffer.from("of its own"), true));
    await until(() => backend.received().length > asked[1]!, "the client's own Pong at the backend");
    expect(backend.received()).toHaveLength(asked[1]! + 6 + "of its own".length);
    expect(client.received()).toHaveLength(asked[0]!);
  });

  test("that never come end the conversation; the living side is told", async () => {
    const { client, backend, ends, sides } = open();
    nextTick();
    await until(() => backend.received().length > 0, "a Ping at the backend");
    backend.stream.write(controlFrame(PONG, payloadSent(backend, true), false));
    const before = backend.received().length;
    // The Pong is in before the clock goes on.
    await until(() => sides.backend.readableLength === 0 && backend.stream.writableLength === 0, "the Pong to be read");
    await new Promise(setImmediate);
    nextTick();
    await until(() => backend.received().length > before, "a Close at the backend");
    expect(backend.received()[before]).toBe(0x88);
    expect(sides.client.destroyed).toBe(true);
    backend.stream.end();
    await until(() => ends.length > 0, "the end");
    expect(ends).toEqual([{ isClean: false, reason: "the client gives no sign of life" }]);
    expect(client.received()[0]).toBe(0x80 | PING);
  });

  test("are not put into the middle of a frame, but after it", async () => {
    const { client, backend } = open();
    const message = text(true, "a message in two pieces");
    client.stream.write(message.subarray(0, 10));
    await until(() => backend.received().length === 10, "the first piece");
    nextTick();
    nextTick();
    await new Promise(setImmediate);
    expect(backend.received()).toHaveLength(10);
    client.stream.write(message.subarray(10));
    await until(() => backend.received().length === message.length, "the second piece");
    expect(backend.received()).toEqual(message);
    nextTick();
    await until(() => backend.received().length > message.length, "a Ping");
    expect(backend.received()[message.length]).toBe(0x80 | PING);
  });

  test("are not expected of a side that we do not listen to ourselves", async () => {
    const stuck = new Duplex({ highWaterMark: 1, read() {}, write() {} });
    const { client, sides, ends } = open({ backend: stuck });
    client.stream.write(text(true, "more than it takes"));
    await until(() => sides.client.isPaused(), "the client to be held");
    nextTick();
    expect(ends).toEqual([]);
    expect(client.received()).toHaveLength(0);
    // The side that takes nothing is the one that is given up.
    nextTick();
    await until(() => stuck.destroyed, "the end of the stuck side");
  });
});

test("each side is read no faster than the other takes it", async () => {
  const waiting: (() => void)[] = [];
  const taken: Buffer[] = [];
  const slow = new Duplex({
    highWaterMark: 1,
    read() {},
    write(chunk: Buffer, _, done) {
      taken.push(chunk);
      waiting.push(done);
    },
  });
  const { client, sides } = open({ backend: slow });
  client.stream.write(text(true, "first"));
  await until(() => taken.length === 1, "the first message");
  expect(sides.client.isPaused()).toBe(true);
  client.stream.write(text(true, "second"));
  await new Promise(setImmediate);
  expect(taken).toHaveLength(1);
  waiting.shift()!();
  await until(() => taken.length === 2, "the second message");
});

describe("the end", () => {
  test("is clean when both have said so", async () => {
    const { client, backend, ends, bytes } = open();
    const goodbye = closeFrame(4001, "enough", true);
    client.stream.write(goodbye);
    await until(() => backend.received().equals(goodbye), "the Close at the backend");
    expect(client.hasEnded).toBe(false);
    const reply = closeFrame(4001, "enough", false);
    backend.stream.write(reply);
    await until(() => client.hasEnded && backend.hasEnded, "both connections to be ended");
    expect(client.received()).toEqual(reply);
    client.stream.end();
    backend.stream.end();
    await until(() => ends.length > 0, "the end");
    expect(ends).toEqual([{ isClean: true, reason: undefined }]);
    expect(bytes).toEqual({ client: goodbye.length, backend: reply.length });
  });

  test("comes also to who never answers a Close", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
    const { client, ends, sides } = open();
    client.stream.write(closeFrame(1000, "", true));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    vi.advanceTimersByTime(CLOSE_TIMEOUT_MS - 1);
    expect(sides.client.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    vi.useRealTimers();
    await until(() => ends.length > 0, "the end");
    expect(ends).toEqual([{ isClean: false, reason: undefined }]);
  });

  test("of one side without a Close is the end of the other without one", async () => {
    const { client, backend, ends } = open();
    client.stream.write(text(true, "last words"));
    client.stream.end();
    await until(() => backend.hasEnded, "the end at the backend");
    expect(opcodes(backend)).toBe(TEXT);
    backend.stream.end();
    await until(() => ends.length > 0, "the end");
    expect(ends).toEqual([{ isClean: false, reason: undefined }]);
  });

  test("from here waits for a frame that is on its way, and lets no further one pass", async () => {
    const { tunnel, client, backend, ends } = open();
    const message = text(false, "a message in two pieces");
    backend.stream.write(message.subarray(0, 5));
    await until(() => client.received().length === 5, "the first piece");
    tunnel.close(1001, "good night");
    await until(() => backend.hasEnded, "the end at the backend");
    expect(client.received()).toHaveLength(5);
    backend.stream.write(Buffer.concat([message.subarray(5), text(false, "another")]));
    await until(() => client.hasEnded, "the end at the client");
    expect(client.received()).toEqual(Buffer.concat([message, closeFrame(1001, "good night", false)]));
    client.stream.end();
    backend.stream.end();
    await until(() => ends.length > 0, "the end");
    expect(ends).toEqual([{ isClean: false, reason: "good night" }]);
  });
});
