import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createNetServer, type Server as NetServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { type ClientOptions, WebSocket, WebSocketServer } from "ws";
import { type NodeServer, startNodeServer } from "#lib/hosts/node/server.ts";
import { temporaryFolder } from "../../support/host-process.ts";
import { RawConnection, requestBytes } from "../../support/raw-client.ts";

const log = { info() {}, warn() {}, error: (message: string, fields: unknown) => console.error(message, fields) };
export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const HANDSHAKE = [
  "Connection",
  "Upgrade",
  "Upgrade",
  "websocket",
  "Sec-WebSocket-Version",
  "13",
  "Sec-WebSocket-Key",
  KEY,
];

export let http: Server;
export let sockets: WebSocketServer;
let raw: NetServer;
export let gateway: NodeServer;
/** The newest conversation at the backend. */
export let atBackend: WebSocket;
/** What the bare backend does with a connection, once the handshake has come. */
export const bare: { answer(socket: Socket, handshake: string): void } = { answer: () => {} };

export async function startGateway(): Promise<NodeServer> {
  const urlOf = (server: { address(): unknown }) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  Object.assign(process.env, { SOCKETS_URL: urlOf(http), RAW_URL: urlOf(raw), NOBODY_URL: "http://127.0.0.1:1" });
  return startNodeServer({
    cwd: temporaryFolder(),
    file: join(import.meta.dirname, "gateway.config.ts"),
    port: 0,
    defaultHost: "127.0.0.1",
    openOnLoopback: false,
    log,
    servePage: (_, response) => response.end(),
  });
}

/** Both backends and the gateway, for all tests of a file. */
export function setUpConversations(): void {
  beforeAll(async () => {
    http = createServer((request, response) => response.end(`${request.method} over HTTP/1.1`));
    sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: { threshold: 0 },
      handleProtocols: (offered) => [...offered].at(-1)!,
      maxPayload: 0,
    });
    http.on("upgrade", (request, socket, head) => {
      if (request.url === "/refused") {
        socket.end(
          "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nSet-Cookie: a=1\r\nContent-Length: 9\r\n\r\nwho's it?",
        );
        return;
      }
      sockets.handleUpgrade(request, socket, head, (conversation) => sockets.emit("connection", conversation, request));
    });
    sockets.on("headers", (headers) => headers.push("Set-Cookie: seen=1", "X-Middleware-Next: 1"));
    sockets.on("connection", (conversation, request) => {
      atBackend = conversation;
      conversation.on("error", () => {});
      if (request.url === "/headers") conversation.send(JSON.stringify([request.url, request.headers]));
      if (request.url === "/echo") conversation.on("message", (data, isBinary) => conversation.send(data, { binary: isBinary }));
    });
    raw = createNetServer((socket) => {
      socket.on("error", () => {});
      let received = "";
      socket.on("data", (chunk) => {
        const isHandshake = received.includes("\r\n\r\n");
        received += chunk.toString("latin1");
        if (!isHandshake && received.includes("\r\n\r\n")) bare.answer(socket, received);
      });
    });
    for (const server of [http, raw]) await once(server.listen(0, "127.0.0.1"), "listening");
    gateway = await startGateway();
  });
  afterEach(() => {
    for (const conversation of sockets.clients) conversation.terminate();
  });
  afterAll(async () => {
    await gateway.close();
    http.close();
    http.closeAllConnections();
    raw.close();
  });
}

export function connect(path: string, options: ClientOptions = {}, protocols: string[] = [], port = gateway.port): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { perMessageDeflate: false, ...options });
  socket.on("error", () => {});
  return socket;
}

export async function opened(path: string, options?: ClientOptions, protocols?: string[]): Promise<WebSocket> {
  const socket = connect(path, options, protocols);
  await Promise.race([
    once(socket, "open"),
    once(socket, "unexpected-response").then(() => Promise.reject(new Error("refused"))),
  ]);
  return socket;
}

/** What a bare backend says to switch. */
export function switchFor(handshake: string, field = "X-Plain: yes"): Buffer {
  const key = /sec-websocket-key: (\S+)/i.exec(handshake)![1]!;
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const lines = ["HTTP/1.1 101 OK", "Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Accept: ${accept}`, field];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

export const nextMessage = async (socket: WebSocket): Promise<[data: Buffer, isBinary: boolean]> =>
  (await once(socket, "message")) as never;
export const closed = async (socket: WebSocket) => {
  const [code, reason] = (await once(socket, "close")) as [number, Buffer];
  return { code, reason: reason.toString() };
};

/** A handshake on a bare socket; what is sent after it is the test's. */
export async function openRaw(target: string): Promise<RawConnection> {
  const connection = await RawConnection.open(gateway.port);
  connection.write(requestBytes({ target, headers: HANDSHAKE }));
  expect(await connection.readUntil("\r\n\r\n")).toContain("101 Switching Protocols");
  return connection;
}
