/** A server that nobody here wrote, put on a free port of loopback. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface LoopbackServer {
  readonly url: string;
  close(): void;
}

export async function serve(what: Server | RequestListener): Promise<LoopbackServer> {
  const server = typeof what === "function" ? createServer(what) : what;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
