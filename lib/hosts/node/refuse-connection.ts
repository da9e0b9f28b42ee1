/** Refuses what node:http makes no request of: bytes that its parser gives up, and CONNECT. The connection ends after the refusal. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ProblemCode, refuse } from "../../contract/problem.ts";
import type { Client, GatewayRequest } from "../../contract/request.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { HeaderList } from "../../http/header-list.ts";
import { readRequestHeaders } from "../../http/sanitize-headers.ts";
import { BodyFault } from "../../proxy/request-body.ts";
import { connectionOf } from "./connection.ts";
import type { Locate } from "./geo-database.ts";
import { receivedRequest } from "./handler.ts";
import { SocketSink } from "./socket-sink.ts";

export interface ConnectionRefusals {
  /** The listener of `clientError`. */
  parserFault(error: ParserError, socket: Duplex): void;
  /** The listener of `connect`. */
  tunnel(request: IncomingMessage, socket: Duplex): void;
}

interface ParserError extends NodeJS.ErrnoException {
  /** What the parser was reading. */
  readonly rawPacket?: Buffer;
}

const CODES: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: "headers-too-large",
  ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
};

const TUNNEL = refuse("method-not-allowed", { headers: ["allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"] });

export function createConnectionRefusals(gateway: () => Gateway, locate: Locate): ConnectionRefusals {
  return {
    parserFault(error, duplex) {
      const socket = duplex as Socket;
      const connection = connectionOf(socket, locate);
      if (error.code === "ECONNRESET" || (!socket.writable && !connection.isRefused)) {
        socket.destroy();
        return;
      }
      // The parser reports each further read; the client is given time to read the refusal.
      if (connection.isRefused) return;
      // Browsers open connections ahead of need: a 408 would be taken for the answer to a request that is sent later.
      if (error.code === "ERR_HTTP_REQUEST_TIMEOUT" && socket.bytesRead === 0) {
        socket.destroy();
        return;
      }
      const code = CODES[error.code ?? ""] ?? "bad-request";
      const { response, lastRequest } = connection;
      const isBodyBroken = lastRequest !== undefined && !lastRequest.complete;
      if (isBodyBroken && lastRequest === response?.req) {
        // Its one answer has begun: nothing may follow it.
        if (response.headersSent) socket.destroy();
        else if (lastRequest.listenerCount("error") > 0) {
          response.shouldKeepAlive = false;
          // The body's reader answers by it. Destroying the request would take away the socket for that answer.
          lastRequest.emit("error", new BodyFault("bad-request", "The body is not framed as it says."));
        } else send(receivedRequest(lastRequest, gateway(), locate), code, socket);
        return;
      }
      const { isBusy } = connection;
      const refused = () => send(readHead(isBusy ? undefined : error.rawPacket, connection.peer), code, socket);
      if (isBodyBroken) connection.replaceLastWaiting(refused);
      // A refusal now would be taken for the answer to the request before it.
      else if (isBusy) connection.enqueue(refused);
      else refused();
    },

    tunnel(request, socket) {
      const connection = connectionOf(socket, locate);
      const refused = () => {
        connection.isRefused = true;
        gateway().refuse(receivedRequest(request, gateway(), locate), TUNNEL, new SocketSink(socket));
      };
      if (connection.isFull) connection.endAfterWaiting();
      else if (connection.isBusy) connection.enqueue(refused);
      else refused();
    },
  };

  function send(request: GatewayRequest, code: ProblemCode, socket: Socket): void {
    connectionOf(socket).isRefused = true;
    gateway().refuse(request, refuse(code), new SocketSink(socket));
  }
}

/** What can still be read of a refused head: its route's CORS fields let the page that sent it read the refusal. */
function readHead(packet: Buffer | undefined, client: Client): GatewayRequest {
  const [requestLine = "", ...lines] = (packet?.toString("latin1") ?? "").split("\r\n");
  const [, method = "GET", target = "*"] = /^([A-Z]{1,20}) (\/[\x21-\x7e]*) HTTP\/1\.1$/.exec(requestLine) ?? [];
  const fields = lines.flatMap((line) => {
    const [, name, value] = /^(host|origin): ?([\x21-\x7e]+)$/i.exec(line) ?? [];
    return name && value ? [name, value] : [];
  });
  const headers = new HeaderList(fields);
  const host = headers.get("host") ?? "";
  return {
    method,
    target,
    scheme: "http",
    host,
    httpVersion: "1.1",
    headers,
    facts: readRequestHeaders(headers),
    body: null,
    client,
  };
}
