/** Answers what node:http could not parse: there is no request, so the problem is written to the socket by hand. */
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { PROBLEMS, type ProblemCode } from "../problem.ts";

const CODES: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: "headers-too-large",
  ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
};

export function refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
  // The caller is gone, or in the middle of an answer: a second one would be read as part of the first.
  if (error.code === "ECONNRESET" || !socket.writable || (socket as { bytesWritten?: number }).bytesWritten) {
    socket.destroy();
    return;
  }
  const code = CODES[error.code ?? ""] ?? "bad-request";
  const { status, title } = PROBLEMS[code];
  const body = JSON.stringify({ type: `/gateway/problems/${code}`, title, status, code });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\nX-Gateway-Error: ${code}\r\n` +
      `Cache-Control: no-store\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
