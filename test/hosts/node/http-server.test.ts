/** The drain of the Node host's server, and connections that never spoke. */
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { Gateway } from "#lib/gateway/gateway.ts";
import { createHttpServer, type HttpServer } from "#lib/hosts/node/http-server.ts";
import { RawConnection } from "../../support/raw-client.ts";

const handling = { servePage: () => {}, log: { info() {}, warn() {}, error() {} }, locate: () => undefined };
const servers: HttpServer[] = [];
afterEach(() => {
  for (const { server } of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function start(): Promise<{ readonly http: HttpServer; readonly port: number }> {
  const http = createHttpServer(() => undefined as unknown as Gateway, handling);
  servers.push(http);
  http.server.listen(0, "127.0.0.1");
  await once(http.server, "listening");
  return { http, port: (http.server.address() as AddressInfo).port };
}

test("the drain ends in its time, whatever became of a socket", async () => {
  const { http, port } = await start();
  // Handed over, and taken up by nobody: Node's own list of connections does not hold it.
  http.server.removeAllListeners("connect").on("connect", () => {});
  const handedOver = once(http.server, "connect");
  const connection = await RawConnection.open(port);
  connection.write("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n");
  await handedOver;
  await http.drain(300);
  await connection.closed();
});

test("an error on a socket that nobody listens to does not end the process", async () => {
  const { http, port } = await start();
  http.server.removeAllListeners("connect");
  const taken = new Promise<Socket>((done) => http.server.on("connect", (_, socket) => done(socket as Socket)));
  const connection = await RawConnection.open(port);
  connection.write("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n");
  const socket = await taken;
  socket.destroy(new Error("read ECONNRESET"));
  await once(socket, "close").catch(() => {});
  expect(socket.destroyed).toBe(true);
});

test("a connection that never sent a byte is closed without a word", async () => {
  const { http, port } = await start();
  const accepted = once(http.server, "connection") as Promise<[Socket]>;
  const connection = await RawConnection.open(port);
  const [socket] = await accepted;
  // What Node says after its time for a head, some 15 seconds.
  http.server.emit("clientError", Object.assign(new Error("Request timeout"), { code: "ERR_HTTP_REQUEST_TIMEOUT" }), socket);
  await connection.closed();
  await expect(connection.readHead()).rejects.toThrow('the connection ended within a head: ""');
});
