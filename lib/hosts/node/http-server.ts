/** Clients' connections on the Node host: every socket from its beginning to its end, one request at work on each, and the drain. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import type { Gateway } from "../../gateway/gateway.ts";
import { connectionOf } from "./connection.ts";
import type { Locate } from "./geo-database.ts";
import { handleNodeRequest, type NodeHandling } from "./handler.ts";
import { createConnectionRefusals } from "./refuse-connection.ts";
import { createUpgrades } from "./upgrade.ts";

export interface HttpServer {
  readonly server: Server;
  /** Stops accepting, lets what runs finish for at most that time, then breaks what is left. */
  drain(maxMs: number): Promise<void>;
}

/** A client has this long to send its whole head (slow-loris), and an idle connection this long to send another. */
const HEAD_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 65_000;
const MAX_HEAD_BYTES = 64 * 1024;
/** What waits for a caller that reads slowly before the backend is held back, and what is read ahead of a backend that does. */
const CONNECTION_BYTES = 16 * 1024;
/** At the drain, idle connections stay open for so long: the next request on each gets its answer, and with it `Connection: close`. */
const IDLE_GRACE_MS = 1_000;
const SWEEP_MS = 100;

export function createHttpServer(
  gateway: () => Gateway,
  { servePage, log, locate }: Omit<NodeHandling, "expects" | "locate"> & { readonly locate: Locate },
): HttpServer {
  const plain: NodeHandling = { servePage, log, locate, expects: "nothing" };
  const expectingContinue: NodeHandling = { ...plain, expects: "continue" };
  const expectingUnknown: NodeHandling = { ...plain, expects: "unknown" };
  const upgrades = createUpgrades(gateway, plain);
  const refusals = createConnectionRefusals(gateway, locate);
  const sockets = new Set<Socket>();
  let isDraining = false;

  const take = (request: IncomingMessage, response: ServerResponse, handling: NodeHandling): void => {
    const connection = connectionOf(request.socket, locate);
    if (connection.isBusy) connection.enqueue(() => start(request, response, handling), response);
    else start(request, response, handling);
  };
  const start = (request: IncomingMessage, response: ServerResponse, handling: NodeHandling): void => {
    if (isDraining) closeAfter(response);
    handleNodeRequest(request, response, gateway(), handling);
  };

  const server = createServer(
    {
      ...upgrades.options,
      highWaterMark: CONNECTION_BYTES,
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: HEAD_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Node's own 400 would be no problem document.
      requireHostHeader: false,
      // Ends whole uploads after that time, however well they go.
      requestTimeout: 0,
      connectionsCheckingInterval: 5_000,
    },
    (request, response) => take(request, response, plain),
  );
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // Node takes its own listener off where it hands a socket over (CONNECT, Upgrade), and an error without one ends the process.
    socket.on("error", destroy);
  });
  // With a listener, Node leaves it to us to ask for the body: first the request is decided.
  server.on("checkContinue", (request, response) => take(request, response, expectingContinue));
  server.on("checkExpectation", (request, response) => take(request, response, expectingUnknown));
  server.on("upgrade", upgrades.handle);
  server.on("clientError", refusals.parserFault);
  server.on("connect", refusals.tunnel);

  return {
    server,
    drain: (maxMs) =>
      new Promise((done) => {
        isDraining = true;
        upgrades.close();
        for (const socket of sockets) {
          const { response } = connectionOf(socket);
          if (response && !response.headersSent) closeAfter(response);
        }
        let sweep: NodeJS.Timeout | undefined;
        const grace = setTimeout(() => {
          server.closeIdleConnections();
          sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
        }, IDLE_GRACE_MS);
        const deadline = setTimeout(() => {
          // Not closeAllConnections, which knows nothing of sockets that were handed over.
          for (const socket of sockets) socket.destroy();
          finish();
        }, maxMs);
        const finish = () => {
          clearTimeout(grace);
          clearInterval(sweep);
          clearTimeout(deadline);
          // The timer of Node's own close, which the one below leaves running.
          server.close(() => {});
          done();
        };
        // Node's http server would end idle connections at once: under a client that is just sending, that is a reset.
        NetServer.prototype.close.call(server, finish);
      }),
  };
}

function destroy(this: Socket): void {
  this.destroy();
}

/** Requests behind it on the connection would not be carried out any more: they come first. */
function closeAfter(response: ServerResponse): void {
  if (!connectionOf(response.req.socket).hasWaiting) response.shouldKeepAlive = false;
}
