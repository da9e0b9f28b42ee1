/** Answers what node:http could not make a request of: the problem is written to the socket by hand, and the connection ended. */
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { PROBLEMS, type ProblemCode } from "../problem.ts";
import { connectionOf } from "./node-connection.ts";

const CODES: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: "headers-too-large",
  ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
};

/** For the server's `clientError`. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
  const code = CODES[error.code ?? ""] ?? "bad-request";
  const { response } = connectionOf(socket);
  if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
  // What is wrong is the rest of a body: it has one answer, and that may have been given early.
  else if (response && !response.req.complete && response.headersSent) socket.destroy();
  // What is wrong is a pipelined request: a 400 now would be taken for the answer to the one that still runs.
  else if (response?.req.complete && !response.writableFinished) response.once("finish", () => refuse(socket, code));
  else refuse(socket, code);
}

/** For the server's `connect`: a tunnel is not a request to forward (RFC 9110 section 9.3.6). */
export function refuseTunnel(_: IncomingMessage, socket: Duplex): void {
  refuse(socket, "method-not-allowed", "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n");
}

function refuse(socket: Duplex, code: ProblemCode, fields = ""): void {
  if (!socket.writable) return;
  const { status, title } = PROBLEMS[code];
  const body = JSON.stringify({ type: `/gateway/problems/${code}`, title, status, code });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\nX-Gateway-Error: ${code}\r\n${fields}` +
      `Cache-Control: no-store\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
