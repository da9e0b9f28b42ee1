/** The Node host's adapter: node:http on one side, the engine on the other. It believes the socket and nothing else. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Client, GatewayRequest } from "../exchange.ts";
import type { Gateway, Verdict } from "../gateway.ts";
import { HeaderList } from "../http/header-list.ts";
import { canonicalIp } from "../http/ip.ts";
import type { Log } from "../policy.ts";
import { refuse } from "../problem.ts";
import type { Sink } from "../sink.ts";

/** What the host itself serves: a page of the console. */
export type ServePage = (request: IncomingMessage, response: ServerResponse) => void;

/** Handles one request on the gateway that is current when it arrives: a reload does not touch it any more. */
export function handleNodeRequest(
  request: IncomingMessage,
  response: ServerResponse,
  gateway: Gateway,
  servePage: ServePage,
  log: Log,
): void {
  const act = (verdict: Verdict) => {
    switch (verdict.kind) {
      case "execute":
        gateway.execute(verdict.visit, new NodeSink(response));
        break;
      case "stop":
        gateway.send(verdict.visit, verdict.stop, new NodeSink(response));
        break;
      case "console":
        servePage(request, response);
        break;
      case "later":
        throw new Error("only a front half may leave a decision for later");
    }
  };
  const received = toGatewayRequest(request);
  const crash = (error: unknown) => {
    log.error("the gateway failed", { error: error instanceof Error ? error.stack : String(error) });
    if (response.headersSent) response.destroy();
    else gateway.refuse(received, refuse("internal"), new NodeSink(response));
  };
  try {
    const verdict = gateway.decide(received, "whole");
    if (verdict instanceof Promise) verdict.then(act).catch(crash);
    else act(verdict);
  } catch (error) {
    crash(error);
  }
}

function toGatewayRequest(request: IncomingMessage): GatewayRequest {
  const headers = new HeaderList(request.rawHeaders);
  return {
    method: request.method!,
    target: request.url!,
    scheme: "http",
    host: headers.get("host") ?? "",
    httpVersion: request.httpVersion,
    headers,
    body: hasBody(headers) ? request : null,
    client: clientOf(request),
  };
}

/** A request has a body where its framing says so, whatever its method (RFC 9112 section 6.3). */
function hasBody(headers: HeaderList): boolean {
  const length = headers.get("content-length");
  return length === undefined ? headers.has("transfer-encoding") : Number(length) > 0;
}

/** One object for each connection: requests on it come from the same caller. */
const clients = new WeakMap<object, Client>();

function clientOf({ socket }: IncomingMessage): Client {
  let client = clients.get(socket);
  if (!client) {
    client = { ip: socket.remoteAddress === undefined ? undefined : canonicalIp(socket.remoteAddress), geo: undefined };
    clients.set(socket, client);
  }
  return client;
}

/** Bodies up to this size leave in one write with their head. */
const ONE_WRITE_BYTES = 16 * 1024;

class NodeSink implements Sink {
  onDrain: (() => void) | undefined;
  #onClose: ((complete: boolean) => void) | undefined;
  readonly #response: ServerResponse;
  #hasBegun = false;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on("close", () => this.#onClose?.(response.writableFinished));
  }

  set onClose(listener: (complete: boolean) => void) {
    this.#onClose = listener;
    // The caller may have gone while the request was still being decided.
    if (this.closed) queueMicrotask(() => listener(this.#response.writableFinished));
  }

  get closed(): boolean {
    return this.#response.destroyed;
  }

  head(status: number, statusText: string, pairs: string[]): void {
    if (statusText === "") this.#response.writeHead(status, pairs);
    else this.#response.writeHead(status, statusText, pairs);
  }

  flush(): void {
    this.#hasBegun = true;
    this.#response.flushHeaders();
  }

  write(chunk: Uint8Array): boolean {
    // Node makes an error event of a write after the end of the connection.
    if (this.closed) return true;
    this.#hasBegun = true;
    const isReady = this.#response.write(chunk);
    if (!isReady) this.#response.once("drain", () => this.onDrain?.());
    return isReady;
  }

  end(chunk?: Uint8Array | string): void {
    if (chunk instanceof Uint8Array && chunk.length <= ONE_WRITE_BYTES && !this.#hasBegun) {
      // As text in the head's own encoding, Node joins both into one write to the socket.
      this.#response.end((chunk as Buffer).toString("latin1"), "latin1");
    } else {
      this.#response.end(chunk);
    }
  }

  destroy(): void {
    this.#response.destroy();
  }
}
