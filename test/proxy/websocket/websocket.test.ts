/** WebSockets through the Node host, with the `ws` package at both ends and bare sockets where it is too well-behaved. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { RawConnection, requestBytes, sendRaw } from "../../support/raw-client.ts";
import { until } from "../../support/until.ts";
import {
  atBackend,
  bare,
  closed,
  connect,
  gateway,
  HANDSHAKE,
  KEY,
  nextMessage,
  opened,
  openRaw,
  setUpConversations,
  sockets,
  startGateway,
  switchFor,
} from "./conversations.ts";
import { outcomes } from "./outcomes.ts";

setUpConversations();

describe("messages", () => {
  test("text and binary come back as they were", async () => {
    const client = await opened("/sockets/echo");
    client.send("grüße ✓");
    expect(await nextMessage(client)).toEqual([Buffer.from("grüße ✓"), false]);
    client.send(Buffer.from([0, 255, 128]));
    expect(await nextMessage(client)).toEqual([Buffer.from([0, 255, 128]), true]);
  });

  test("of a megabyte come back whole, several at once", async () => {
    const client = await opened("/sockets/echo");
    const large = Buffer.alloc(1024 * 1024, "0123456789abcdef");
    const digests: string[] = [];
    client.on("message", (data: Buffer) => digests.push(createHash("sha1").update(data).digest("hex")));
    for (let count = 0; count < 4; count++) client.send(large);
    await until(() => digests.length === 4, "four messages");
    expect(new Set(digests)).toEqual(new Set([createHash("sha1").update(large).digest("hex")]));
  });

  test("may come in fragments, with a Ping in between that reaches the other end", async () => {
    const client = await opened("/sockets/echo");
    const pinged = once(atBackend, "ping");
    const ponged = once(client, "pong");
    client.send("one ", { fin: false });
    client.ping("are you there");
    client.send("two ", { fin: false });
    client.send("three", { fin: true });
    expect(await nextMessage(client)).toEqual([Buffer.from("one two three"), false]);
    expect(String((await pinged)[0])).toBe("are you there");
    expect(String((await ponged)[0])).toBe("are you there");
  });

  test("may begin with the handshake itself", async () => {
    const connection = await RawConnection.open(gateway.port);
    const hello = Buffer.from([0x81, 0x85, 0, 0, 0, 0, ...Buffer.from("hello")]);
    connection.write(Buffer.concat([requestBytes({ target: "/sockets/echo", headers: HANDSHAKE }), hello]));
    expect(await connection.readUntil("hello")).toContain("\x81\x05hello");
    connection.close();
  });

  test("are compressed between the ends, where these have agreed to", async () => {
    const client = await opened("/sockets/echo", { perMessageDeflate: { threshold: 0 } });
    expect(client.extensions).toContain("permessage-deflate");
    const words = "the same words again and again ".repeat(10_000);
    client.send(words);
    expect(String((await nextMessage(client))[0])).toBe(words);
    client.close();
    await closed(client);
    // Counted as they stand on the wire.
    const { outcome } = await until(() => outcomes.at(-1), "the end");
    expect(outcome.bytesIn).toBeLessThan(words.length / 10);
  });

  test("of a slow reader wait at the backend, not in the gateway", async () => {
    const client = await opened("/sockets/quiet");
    client.pause();
    const chunk = Buffer.alloc(1024 * 1024);
    for (let count = 0; count < 64; count++) atBackend.send(chunk);
    // What the two connections hold on the way leaves; the rest stays until the client reads.
    let left = atBackend.bufferedAmount;
    for (let turnsWithoutChange = 0; turnsWithoutChange < 1_000; turnsWithoutChange++) {
      await new Promise(setImmediate);
      if (atBackend.bufferedAmount !== left) turnsWithoutChange = 0;
      left = atBackend.bufferedAmount;
    }
    expect(left).toBeGreaterThan(32 * chunk.length);
    let received = 0;
    client.on("message", (data: Buffer) => {
      received += data.length;
    });
    client.resume();
    await until(() => received === 64 * chunk.length, "every message");
  });
});

describe("the handshake", () => {
  test("passes with everything that is the ends' own, and cleaned of what is not", async () => {
    const client = connect(
      "/sockets/headers",
      { headers: { Cookie: "session=1", "X-Gateway-Consumer": "me", Origin: "https://shop.example" } },
      ["v1", "v2"],
    );
    const [[response], [data]] = await Promise.all([once(client, "upgrade"), nextMessage(client)]);
    const [url, headers] = JSON.parse(String(data));
    expect(url).toBe("/headers");
    expect(headers).toMatchObject({
      cookie: "session=1",
      origin: "https://shop.example",
      "sec-websocket-protocol": "v1,v2",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-prefix": "/sockets",
    });
    expect(headers["via"]).toMatch(/^1\.1 frontdesk-/);
    expect(headers).not.toHaveProperty("x-gateway-consumer");
    expect(client.protocol).toBe("v2");
    expect(response.headers["set-cookie"]).toEqual(["seen=1"]);
    expect(response.headers["x-request-id"]).toBe(headers["x-request-id"]);
    expect(response.headers["x-witness"]).toBe("yes");
    expect(response.headers).not.toHaveProperty("x-middleware-next");
  });

  test("keeps the bytes of a field's value (RFC 9110 section 5.5)", async () => {
    bare.answer = (socket, handshake) => socket.write(switchFor(handshake, "X-Name: caf\xe9"));
    const connection = await RawConnection.open(gateway.port);
    connection.write(requestBytes({ target: "/raw", headers: HANDSHAKE }));
    expect(await connection.readUntil("\r\n\r\n")).toContain("X-Name: caf\xe9\r\n");
    connection.close();
  });

  test("goes through the policies of its route", async () => {
    const refused = await sendRaw(gateway.port, { target: "/members/echo", headers: HANDSHAKE });
    expect(refused.status).toBe(403);
    expect(refused.headers.get("connection")).toBe("close");
    expect(refused.headers.get("content-length")).toBe(String(refused.body.length));
    expect(refused.headers.get("x-witness")).toBe("yes");
    expect(JSON.parse(refused.body.toString())).toMatchObject({ code: "not-allowed", detail: "Members only." });
    const client = await opened("/members/headers", { headers: { "X-Member": "1" } });
    expect(client.readyState).toBe(WebSocket.OPEN);
  });

  test("finds no route, or one without a backend", async () => {
    const missing = await sendRaw(gateway.port, { target: "/nowhere", headers: HANDSHAKE });
    expect(JSON.parse(missing.body.toString())).toMatchObject({ status: 404, code: "route-not-found" });
    const answered = await sendRaw(gateway.port, { target: "/hello", headers: HANDSHAKE });
    expect([answered.status, answered.body.toString()]).toEqual([200, "hello"]);
  });

  test("that the backend refuses gets the backend's answer", async () => {
    const { status, headers, body } = await sendRaw(gateway.port, { target: "/sockets/refused", headers: HANDSHAKE });
    expect([status, body.toString()]).toEqual([401, "who's it?"]);
    expect(headers.get("www-authenticate")).toBe("Basic");
    expect(headers.get("set-cookie")).toBe("a=1");
    expect(headers.get("x-gateway-error")).toBeUndefined();
  });

  const without = (name: string) => {
    const at = HANDSHAKE.indexOf(name);
    return HANDSHAKE.toSpliced(at, 2);
  };
  test.each<[string, string[], number]>([
    ["no key", without("Sec-WebSocket-Key"), 400],
    ["a key of another length", [...without("Sec-WebSocket-Key"), "Sec-WebSocket-Key", "c2hvcnQ="], 400],
    ["two keys", [...HANDSHAKE, "Sec-WebSocket-Key", KEY], 400],
    ["no version", without("Sec-WebSocket-Version"), 400],
    ["a body", [...HANDSHAKE, "Content-Length", "5"], 400],
    ["a chunked body", [...HANDSHAKE, "Transfer-Encoding", "chunked"], 400],
    ["another version", [...without("Sec-WebSocket-Version"), "Sec-WebSocket-Version", "8"], 426],
  ])("with %s is refused", async (_, headers, status) => {
    const before = sockets.clients.size;
    const answer = await sendRaw(gateway.port, { target: "/sockets/echo", headers });
    expect(answer.status).toBe(status);
    expect(answer.isWhole).toBe(true);
    expect(answer.headers.get("sec-websocket-version")).toBe(status === 426 ? "13" : undefined);
    expect(answer.headers.get("upgrade")).toBe(status === 426 ? "websocket" : undefined);
    expect(sockets.clients.size).toBe(before);
  });

  test.each<[string, string, (socket: Socket, handshake: string) => void, number, string]>([
    ["is not there", "/nobody", () => {}, 502, "backend-unreachable"],
    ["says nothing", "/raw", () => {}, 504, "backend-timeout"],
    ["hangs up", "/raw", (socket) => socket.destroy(), 502, "backend-unreachable"],
    [
      "has not read the key",
      "/raw",
      (socket) =>
        socket.write("HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n"),
      502,
      "response-invalid",
    ],
    ["switches to nothing", "/raw", (socket) => socket.write("HTTP/1.1 101 OK\r\n\r\n"), 502, "response-invalid"],
    ["talks garbage", "/raw", (socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n\r\n"), 502, "response-invalid"],
  ])("to a backend that %s ends in a problem", async (_, target, behave, status, code) => {
    bare.answer = behave;
    const answer = await sendRaw(gateway.port, { target, headers: HANDSHAKE });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body.toString()).code).toBe(code);
  });

  test("that runs ahead of an answer waits for its end", async () => {
    let finish = () => {};
    bare.answer = (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf ");
      finish = () => socket.end("whole");
    };
    const connection = await RawConnection.open(gateway.port);
    connection.write(requestBytes({ target: "/raw" }));
    await connection.readUntil("half ");
    connection.write(requestBytes({ target: "/sockets/echo", headers: HANDSHAKE }));
    finish();
    expect((await connection.readAnswer()).body.toString()).toBe("half whole");
    expect(await connection.readUntil("\r\n\r\n")).toMatch(/^HTTP\/1\.1 101 /);
    connection.close();
  });

  test("is given up when the client goes before the answer", async () => {
    let isGone = false;
    bare.answer = (socket) => socket.on("close", () => (isGone = true));
    const connection = await RawConnection.open(gateway.port);
    connection.write(requestBytes({ target: "/raw", headers: HANDSHAKE }));
    connection.socket.end();
    await until(() => isGone, "the backend's connection to be closed");
  });
});

describe("other offers of a protocol are ignored", () => {
  const curl = async (...args: string[]) =>
    (await promisify(execFile)("curl", ["-sS", "--max-time", "10", "-w", " %{http_version} %{http_code}", ...args])).stdout;

  test("h2c by curl, with and without a body", async () => {
    const url = `http://127.0.0.1:${gateway.port}/sockets/x`;
    expect(await curl("--http2", url)).toBe("GET over HTTP/1.1 1.1 200");
    expect(await curl("--http2", "-d", "some body", url)).toBe("POST over HTTP/1.1 1.1 200");
    // The connection goes on, and so do offers on it.
    expect(await curl("--http2", url, url)).toBe("GET over HTTP/1.1 1.1 200".repeat(2));
  });

  test.each([
    ["a list", ["Connection", "Upgrade", "Upgrade", "h2c, websocket"]],
    ["a name that nobody knows", ["Connection", "Upgrade", "Upgrade", "gopher"]],
    ["one that Connection does not name", HANDSHAKE.slice(2)],
  ])("%s", async (_, headers) => {
    const { status, body } = await sendRaw(gateway.port, { target: "/sockets/x", headers });
    expect([status, body.toString()]).toEqual([200, "GET over HTTP/1.1"]);
  });

  test("WebSocket with a method that begins none", async () => {
    const { status, body } = await sendRaw(gateway.port, { method: "POST", target: "/sockets/x", headers: HANDSHAKE, body: "x" });
    expect([status, body.toString()]).toEqual([200, "POST over HTTP/1.1"]);
  });
});

describe("the end of a conversation", () => {
  test("that the client closes is told to the backend in its words", async () => {
    const client = await opened("/sockets/echo");
    const [atClient, backend] = [closed(client), closed(atBackend)];
    client.close(4001, "enough of this");
    expect(await backend).toEqual({ code: 4001, reason: "enough of this" });
    expect(await atClient).toEqual({ code: 4001, reason: "enough of this" });
  });

  test("that the backend closes is told to the client in its words", async () => {
    const client = await opened("/sockets/echo");
    const [atClient, backend] = [closed(client), closed(atBackend)];
    atBackend.close(1013, "come back later");
    expect(await atClient).toEqual({ code: 1013, reason: "come back later" });
    expect(await backend).toEqual({ code: 1013, reason: "come back later" });
  });

  test("that just goes away at the client is none at the backend either", async () => {
    const client = await opened("/sockets/echo");
    const backend = closed(atBackend);
    client.terminate();
    expect(await backend).toEqual({ code: 1006, reason: "" });
  });

  test("that just goes away at the backend is none at the client either", async () => {
    const client = await opened("/sockets/echo");
    const atClient = closed(client);
    atBackend.terminate();
    expect(await atClient).toEqual({ code: 1006, reason: "" });
  });

  test("comes with a message over the route's maxBody, whole or in fragments", async () => {
    for (const send of [
      (client: WebSocket) => client.send(Buffer.alloc(1025)),
      (client: WebSocket) => {
        client.send(Buffer.alloc(1000), { fin: false });
        client.send(Buffer.alloc(25), { fin: true });
      },
    ]) {
      const client = await opened("/small/quiet");
      let messages = 0;
      atBackend.on("message", () => messages++);
      const [atClient, backend] = [closed(client), closed(atBackend)];
      client.send(Buffer.alloc(1024));
      send(client);
      expect(await atClient).toEqual({ code: 1009, reason: "a message has more than 1024 bytes" });
      expect(await backend).toMatchObject({ code: 1001 });
      expect(messages).toBe(1);
    }
  });

  test("comes with a message that is far too large, while it is still being sent", async () => {
    const client = await opened("/small/quiet");
    const atClient = closed(client);
    client.send(Buffer.alloc(32 * 1024 * 1024));
    expect(await atClient).toMatchObject({ code: 1009 });
  });

  test("comes with a client's frame that is not masked", async () => {
    const connection = await openRaw("/sockets/quiet");
    const backend = closed(atBackend);
    connection.write(Buffer.from([0x81, 2, 0x68, 0x69]));
    expect(await connection.readUntil("a frame is not masked")).toContain("\x88\x17\x03\xea");
    expect(await backend).toMatchObject({ code: 1001 });
    await connection.closed();
  });

  test("comes with a backend's frame that is masked", async () => {
    bare.answer = (socket, handshake) => {
      socket.write(switchFor(handshake));
      socket.write(Buffer.from([0x81, 0x80, 0, 0, 0, 0]));
    };
    const client = connect("/raw");
    expect(await closed(client)).toMatchObject({ code: 1001 });
  });

  test("is written down once, with what went each way", async () => {
    const client = connect("/sockets/echo");
    const [[response]] = await Promise.all([once(client, "upgrade"), once(client, "open")]);
    const id = response.headers["x-request-id"];
    client.send("hello");
    await nextMessage(client);
    expect(outcomes.filter((known) => known.id === id)).toEqual([]);
    client.close(1000);
    await closed(client);
    await until(() => outcomes.some((known) => known.id === id), "the end to be written down");
    const [only, ...more] = outcomes.filter((known) => known.id === id);
    expect(more).toEqual([]);
    // A message and a Close each way; the client's are masked.
    expect(only!.outcome).toMatchObject({ status: 101, source: "backend", aborted: false, bytesIn: 11 + 8, bytesOut: 7 + 4 });
    expect(only!.outcome.durationMs).toBeGreaterThan(0);
  });

  test("that is none is written down as broken off", async () => {
    const before = outcomes.length;
    const client = await opened("/sockets/echo");
    client.terminate();
    const { outcome } = await until(() => outcomes[before], "the end to be written down");
    expect(outcome).toMatchObject({ status: 101, aborted: true });
  });
});

describe("many", () => {
  const openSockets = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;

  test("200 at once talk and close, and nothing of them is left", async () => {
    await until(() => openSockets() === 0, "earlier connections to be gone");
    const before = outcomes.length;
    const clients = await Promise.all(Array.from({ length: 200 }, () => opened("/sockets/echo")));
    const answers = clients.map((client, index) => {
      client.send(`number ${index}`);
      return nextMessage(client);
    });
    expect((await Promise.all(answers)).map(([data]) => String(data))).toEqual(clients.map((_, index) => `number ${index}`));
    // Half of them one way, half the other.
    const ends = clients.map(closed);
    clients.forEach((client, index) => index % 2 === 0 && client.close(1000));
    for (const [index, conversation] of [...sockets.clients].entries()) if (index % 2 === 1) conversation.close(1000);
    expect(new Set((await Promise.all(ends)).map(({ code }) => code))).toEqual(new Set([1000]));
    await until(() => openSockets() === 0, "every connection to be gone");
    expect(outcomes.length - before).toBe(200);
  });

  test("are told when the gateway goes, and it waits for no one", async () => {
    const other = await startGateway();
    const clients = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const client = connect("/sockets/echo", {}, [], other.port);
        await once(client, "open");
        return client;
      }),
    );
    const ends = clients.map(closed);
    const backends = [...sockets.clients].map(closed);
    await other.close();
    for (const end of await Promise.all([...ends, ...backends]))
      expect(end).toEqual({ code: 1001, reason: "the gateway is going away" });
  });
});
