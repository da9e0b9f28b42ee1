/** A server in between, for tests: hands requests on as a frontend or an edge does, and changes them as the test says. */
import { createServer, type IncomingHttpHeaders, request as send } from "node:http";
import type { AddressInfo } from "node:net";

export interface RelayOptions {
  /** The next one's address. */
  readonly to: string;
  /** Shapes the fields that go on. */
  onRequest?(
    headers: IncomingHttpHeaders,
    request: { readonly method: string; readonly target: string; readonly peer: string },
  ): void;
  /** From which of this machine's addresses it connects: the whole of 127.0.0.0/8 is loopback. */
  readonly from?: string;
  /** Takes in the whole answer before it sends any of it on. */
  readonly buffers?: boolean;
  /** Gives an answer to everybody who asks for the same target after, whatever it says. */
  readonly keeps?: boolean;
}

export interface Relay {
  readonly url: string;
  readonly port: number;
  close(): void;
}

export async function startRelay({
  to,
  onRequest,
  from = "127.0.0.1",
  buffers = false,
  keeps = false,
}: RelayOptions): Promise<Relay> {
  const kept = new Map<string, { readonly fields: string[]; readonly body: Buffer }>();
  const server = createServer((received, response) => {
    const hit = kept.get(received.url!);
    if (hit) {
      response.writeHead(200, hit.fields).end(hit.body);
      return;
    }
    const headers: IncomingHttpHeaders = { ...received.headers, host: new URL(to).host };
    const [method, target] = [received.method!, received.url!];
    onRequest?.(headers, { method, target, peer: received.socket.remoteAddress! });
    const onward = send(to, { method, path: target, headers, localAddress: from }, (answer) => {
      response.writeHead(answer.statusCode!, answer.rawHeaders);
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      if (buffers) answer.on("end", () => response.end(Buffer.concat(chunks)));
      else answer.pipe(response);
      if (keeps) answer.on("end", () => kept.set(target, { fields: answer.rawHeaders, body: Buffer.concat(chunks) }));
    });
    onward.on("error", () => response.writeHead(502).end());
    response.on("close", () => onward.destroy());
    received.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, port, close };
}
