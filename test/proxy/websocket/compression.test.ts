/** Compressed messages (RFC 7692): `maxBody` bounds what the backend will read, not what goes over the wire. */
import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { CONTINUATION, TEXT } from "#lib/proxy/websocket/control-frame.ts";
import { RawConnection, requestBytes, sendRaw } from "../../support/raw-client.ts";
import { until } from "../../support/until.ts";
import {
  atBackend,
  bare,
  closed,
  gateway,
  HANDSHAKE,
  nextMessage,
  opened,
  setUpConversations,
  switchFor,
} from "./conversations.ts";
import { frame } from "./frames.ts";

setUpConversations();

const DEFLATE = { perMessageDeflate: { threshold: 0 } };
const OFFER = ["Sec-WebSocket-Extensions", "permessage-deflate"];

/** A message as it goes over the wire, without the end that senders leave out (section 7.2.1). */
const deflated = (text: string) => deflateRawSync(text, { finishFlush: 2 }).subarray(0, -4);

describe("a compressed message", () => {
  test("over the route's maxBody once inflated ends the conversation, and never reaches the backend", async () => {
    const client = await opened("/small/quiet", DEFLATE);
    let reached = 0;
    atBackend.on("message", () => reached++);
    const atTheEnd = closed(atBackend);
    client.send("a".repeat(900_000));
    expect(await closed(client)).toEqual({ code: 1009, reason: "a message has more than 1024 bytes" });
    expect((await atTheEnd).code).toBe(1001);
    expect(reached).toBe(0);
  });

  test("within it passes, again and again, in order among plain ones", async () => {
    const client = await opened("/small/echo", DEFLATE);
    const received: string[] = [];
    client.on("message", (data: Buffer) => received.push(String(data)));
    const sent = Array.from({ length: 50 }, (_, index) => `${index} `.repeat(300).slice(0, 1024 - (index % 7)));
    for (const [index, text] of sent.entries()) client.send(text, { compress: index % 3 !== 0 });
    await until(() => received.length === sent.length, "every message");
    expect(received).toEqual(sent);
  });

  test("in fragments is one message", async () => {
    const connection = await RawConnection.open(gateway.port);
    connection.write(requestBytes({ target: "/small/echo", headers: [...HANDSHAKE, ...OFFER] }));
    await connection.readUntil("\r\n\r\n");
    const bytes = deflated("x".repeat(2_000));
    connection.write(frame({ opcode: TEXT, rsv: 0x40, final: false, payload: bytes.subarray(0, 3) }));
    connection.write(frame({ opcode: CONTINUATION, payload: bytes.subarray(3) }));
    expect(await connection.readUntil("more than 1024 bytes")).toContain("\x03\xf1a message");
    connection.close();
  });

  test("that is no deflate ends the conversation", async () => {
    const connection = await RawConnection.open(gateway.port);
    connection.write(requestBytes({ target: "/small/echo", headers: [...HANDSHAKE, ...OFFER] }));
    await connection.readUntil("\r\n\r\n");
    connection.write(frame({ opcode: TEXT, rsv: 0x40, payload: Buffer.from([0xff, 0xff, 0xff, 0xff]) }));
    expect(await connection.readUntil("inflated")).toContain("\x03\xeaa compressed message can't be inflated");
    connection.close();
  });
});

describe("the handshake", () => {
  test("tells the client to let each message stand for itself (section 7.1.1.2)", async () => {
    const { extensions } = await opened("/sockets/echo", DEFLATE);
    expect(extensions).toContain("permessage-deflate");
    const connection = await RawConnection.open(gateway.port);
    connection.write(requestBytes({ target: "/sockets/echo", headers: [...HANDSHAKE, ...OFFER] }));
    expect(await connection.readUntil("\r\n\r\n")).toMatch(
      /sec-websocket-extensions: permessage-deflate; client_no_context_takeover/i,
    );
    connection.close();
  });

  test("offers the backend no other extension", async () => {
    const offers = [
      "x-webkit-deflate-frame, permessage-deflate; client_max_window_bits, permessage-deflate-x",
      "permessage-deflate",
    ];
    const headers = offers.flatMap((offer) => ["Sec-WebSocket-Extensions", offer]);
    const { promise, resolve } = Promise.withResolvers<string>();
    bare.answer = (socket, handshake) => {
      resolve(handshake);
      socket.end(switchFor(handshake));
    };
    const connection = await RawConnection.open(gateway.port);
    connection.write(requestBytes({ target: "/raw", headers: [...HANDSHAKE, ...headers] }));
    const sent = (await promise).split("\r\n").filter((line) => /^sec-websocket-extensions/i.test(line));
    expect(sent).toEqual(["sec-websocket-extensions: permessage-deflate; client_max_window_bits, permessage-deflate"]);
    connection.close();
  });

  test.each([
    ["an extension that was not offered", "x-other", OFFER],
    ["compression that was not offered", "permessage-deflate", []],
    ["two", "permessage-deflate, permessage-deflate", OFFER],
  ])("fails where the backend agrees to %s (RFC 6455 section 4.1)", async (_, agreed, offer) => {
    bare.answer = (socket, handshake) => socket.write(switchFor(handshake, `Sec-WebSocket-Extensions: ${agreed}`));
    const answer = await sendRaw(gateway.port, { target: "/raw", headers: [...HANDSHAKE, ...offer] });
    expect([answer.status, answer.headers.get("x-gateway-error")]).toEqual([502, "response-invalid"]);
  });
});

describe("time-outs of the route", () => {
  test("`idle` ends a conversation in which nobody speaks, and no other", async () => {
    const client = await opened("/quiet/echo");
    const startedMs = performance.now();
    while (performance.now() - startedMs < 900) {
      client.send("still here");
      await nextMessage(client);
    }
    expect(await closed(client)).toEqual({ code: 1001, reason: "idle time-out" });
  });

  test("`total` ends one that has lasted so long, whatever is said", async () => {
    const client = await opened("/brief/echo");
    let isOver = false;
    client.on("message", () => !isOver && client.send("and on"));
    client.send("on");
    expect(await closed(client)).toEqual({ code: 1001, reason: "total time-out" });
    isOver = true;
  });
});
