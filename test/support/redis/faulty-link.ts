/** What stands between a gateway and its Redis, and fails in the ways in which networks and services fail. */

import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type Socket } from "node:net";

/** What becomes of a connection, once something is sent on it. */
export type LinkState = "through" | "silent" | "cut" | "late" | "refused" | "wrong-token" | "failing";

export interface FaultyLink {
  readonly url: string;
  /** Connections that are open break. */
  become(state: LinkState): Promise<void>;
  stop(): Promise<void>;
}

const LATE_MS = 2_000;

export async function startFaultyLink(port: number): Promise<FaultyLink> {
  const open = new Set<Socket>();
  let state: LinkState = "through";
  let own = 0;
  let server: Server;

  const answer = (socket: Socket, status: string, body: string) =>
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`);

  const join = (socket: Socket) => {
    const there = connect(port, "127.0.0.1");
    open.add(there);
    there.on("error", () => socket.destroy()).on("close", () => open.delete(there));
    socket.pipe(there).pipe(socket);
  };

  const listen = async () => {
    server = createServer((socket) => {
      open.add(socket);
      socket.on("error", () => {}).on("close", () => open.delete(socket));
      if (state === "through") return join(socket);
      if (state === "late") return void setTimeout(() => join(socket), LATE_MS);
      socket.once("data", () => {
        if (state === "cut") socket.destroy();
        else if (state === "wrong-token")
          answer(socket, "401 Unauthorized", '{"error":"WRONGPASS invalid or missing auth token"}');
        else if (state === "failing") answer(socket, "500 Internal Server Error", "oops");
      });
    });
    await new Promise<void>((resolve) => server.listen(own, "127.0.0.1", resolve));
    own = (server.address() as AddressInfo).port;
  };
  const breakAll = () => {
    for (const socket of open) socket.destroy();
  };
  const leave = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    breakAll();
    await closed;
  };

  await listen();
  return {
    url: `http://127.0.0.1:${own}`,
    async become(next) {
      if (state === "refused") await listen();
      state = next;
      if (state === "refused") await leave();
      else breakAll();
    },
    stop: leave,
  };
}
