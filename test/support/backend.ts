/** A backend for tests: it listens on loopback, writes down each request as it arrived, and answers as the test says. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { HeaderList } from "#lib/http/header-list.ts";
import { until } from "./until.ts";

export interface ReceivedRequest {
  readonly method: string;
  /** The request line's target, byte for byte. */
  readonly target: string;
  readonly headers: HeaderList;
  body: Buffer;
  /** `broken` where the connection ended before the request did. */
  state: "arriving" | "whole" | "broken";
  /** True once the connection was gone before the answer was finished. */
  hungUp: boolean;
}

/** `received.body` is whole where the handler was registered with `once the body is here` (the default). */
export type Handler = (received: ReceivedRequest, response: ServerResponse, request: IncomingMessage) => unknown;

export class Backend {
  readonly url: string;
  readonly port: number;
  readonly requests: ReceivedRequest[] = [];
  readonly #handlers: Map<string, Route>;
  readonly #close: () => void;

  constructor(port: number, handlers: Map<string, Route>, close: () => void) {
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#handlers = handlers;
    this.#close = close;
  }

  /** What answers a path; the query does not count. Every other path is answered with a little JSON. */
  on(path: string, handler: Handler): this {
    this.#handlers.set(path, { handler, waits: true });
    return this;
  }

  /** Like `on`, but called as soon as the head is there: the body is the handler's to read. */
  onHead(path: string, handler: Handler): this {
    this.#handlers.set(path, { handler, waits: false });
    return this;
  }

  /** The newest request once it has arrived. */
  async last(): Promise<ReceivedRequest> {
    return until(() => this.requests.at(-1), "a request at the backend");
  }

  close(): void {
    this.#close();
  }
}

interface Route {
  readonly handler: Handler;
  readonly waits: boolean;
}

export async function startBackend(): Promise<Backend> {
  const handlers = new Map<string, Route>();
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    const { handler, waits } = handlers.get(request.url!.split("?")[0]!) ?? { handler: serve, waits: true };
    const received = receive(request, response);
    backend.requests.push(received);
    if (waits) request.on("end", () => handler(received, response, request));
    else handler(received, response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  const backend = new Backend((server.address() as AddressInfo).port, handlers, close);
  return backend;
}

function receive(request: IncomingMessage, response: ServerResponse): ReceivedRequest {
  const received: ReceivedRequest = {
    method: request.method!,
    target: request.url!,
    headers: new HeaderList(request.rawHeaders),
    body: Buffer.alloc(0),
    state: "arriving",
    hungUp: false,
  };
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("error", () => {});
  request.on("end", () => {
    received.body = Buffer.concat(chunks);
    received.state = "whole";
  });
  request.on("close", () => {
    if (received.state === "arriving") received.state = "broken";
  });
  response.on("close", () => {
    received.hungUp = !response.writableFinished;
  });
  return received;
}

function serve(_: ReceivedRequest, response: ServerResponse): void {
  const text = '{"served":true}';
  response.writeHead(200, { "content-type": "application/json", "content-length": text.length });
  response.end(text);
}
