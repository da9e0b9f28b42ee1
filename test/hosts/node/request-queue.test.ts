/** What waits on connections is bounded for all of them together, and given back when they end. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { NodeConnection } from "#lib/hosts/node/connection.ts";
import { MAX_QUEUED_BYTES } from "#lib/hosts/node/request-queue.ts";

/** A connection whose first request is never answered. */
function busyConnection(): { readonly socket: PassThrough; readonly connection: NodeConnection } {
  const socket = new PassThrough();
  const connection = new NodeConnection(socket, { ip: undefined, geo: undefined });
  connection.response = new PassThrough() as unknown as ServerResponse;
  return { socket, connection };
}

const never = () => expect.unreachable();

test("past the bound the connection that adds to it is broken, and with its end there is room again", async () => {
  const perConnection = 10;
  const open: PassThrough[] = [];
  let queued = 0;
  for (;;) {
    const { socket, connection } = busyConnection();
    for (let n = 0; n < perConnection; n++) connection.enqueue(never);
    if (socket.destroyed) break;
    open.push(socket);
    queued += perConnection;
    // A read of the socket and the objects of ten requests are more than 10 KB.
    expect(queued).toBeLessThan(MAX_QUEUED_BYTES / 1024);
  }
  expect(open.every((socket) => !socket.destroyed)).toBe(true);
  expect(open.length).toBeGreaterThan(100);
  const closed = Promise.all(open.map((socket) => once(socket, "close")));
  for (const socket of open) socket.destroy();
  await closed;
  const { socket, connection } = busyConnection();
  connection.enqueue(never);
  expect(socket.destroyed).toBe(false);
  expect(connection.hasWaiting).toBe(true);
  socket.destroy();
});
