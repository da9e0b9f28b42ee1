/** The backend of the load tests: it makes and eats bytes without keeping them, and knows who hung up. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface LoadBackend {
  readonly url: string;
  /** Bytes handed to the sockets of downloads so far. */
  readonly sentBytes: number;
  readonly openConnections: number;
  close(): void;
}

/** Bytes that repeat at no length that a buffer has. */
const PATTERN = Buffer.from(Array.from({ length: 65_537 }, (_, index) => (index * 7 + (index >> 8)) & 255));

/** The checksum of what `GET /bytes?<length>` answers. */
export function checksumOf(length: number): string {
  const hash = createHash("sha256");
  for (let left = length; left > 0; left -= PATTERN.length) hash.update(PATTERN.subarray(0, Math.min(left, PATTERN.length)));
  return hash.digest("hex");
}

export async function startLoadBackend(): Promise<LoadBackend> {
  let sentBytes = 0;
  const send = (request: IncomingMessage, response: ServerResponse) => {
    let left = Number(request.url!.split("?")[1]);
    response.writeHead(200, { "content-length": left });
    const pump = () => {
      while (left > 0 && !response.destroyed) {
        const piece = PATTERN.subarray(0, Math.min(left, PATTERN.length));
        left -= piece.length;
        sentBytes += piece.length;
        if (!response.write(piece)) return void response.once("drain", pump);
      }
      response.end();
    };
    pump();
  };
  const server = createServer({ requestTimeout: 0, maxHeaderSize: 256 * 1024 }, (request, response) => {
    request.on("error", () => {});
    switch (request.url!.split("?")[0]) {
      case "/cached/no-store":
        return void response.writeHead(200, { "cache-control": "no-store" }).end("not kept");
      case "/auth":
        return void response.writeHead(401).end();
      case "/bytes":
        return send(request, response);
      case "/silent":
        return;
      case "/begun":
        return void response.writeHead(200).write("begun");
      default: {
        const hash = createHash("sha256");
        request.on("data", (chunk: Buffer) => hash.update(chunk));
        request.on("end", () => response.end(hash.digest("hex")));
      }
    }
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  let openConnections = 0;
  server.on("connection", (socket) => {
    openConnections++;
    socket.once("close", () => openConnections--);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get sentBytes() {
      return sentBytes;
    },
    get openConnections() {
      return openConnections;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
