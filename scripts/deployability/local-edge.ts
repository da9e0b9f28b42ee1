/** Sends each request to the built middleware, then to the built handler, as the documentation of Next's adapters says. No router of Vercel's is imitated. */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface LocalEdge {
  readonly port: number;
  /** Plans that middlewares sealed and handlers were given. */
  readonly plans: readonly string[];
  close(): void;
}

export interface BuiltFunctions {
  readonly middlewarePort: number;
  readonly handlerPort: number;
}

export async function startLocalEdge(functions: BuiltFunctions): Promise<LocalEdge> {
  const plans: string[] = [];
  const server = createServer({ requestTimeout: 0 }, (incoming, response) => {
    // Whoever brings this header goes round the middleware: what an attacker who found a bypass would have.
    if (incoming.headers["x-test-bypass"]) forward(incoming, incoming.rawHeaders, response, functions.handlerPort);
    else void decideFirst(incoming, response, functions, plans);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    plans,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function decideFirst(
  incoming: IncomingMessage,
  response: ServerResponse,
  { middlewarePort, handlerPort }: BuiltFunctions,
  plans: string[],
): Promise<void> {
  const decided = await ask(middlewarePort, incoming);
  const { headers, statusCode } = decided;
  if (headers["x-middleware-next"] !== "1") {
    response.writeHead(statusCode!, decided.rawHeaders);
    decided.pipe(response);
    return;
  }
  decided.resume();
  // NextResponse.next({ request: { headers } }): the list names what stays, each value stands in a field of its own.
  const names = String(headers["x-middleware-override-headers"] ?? "").split(",");
  const overridden = names.flatMap((name) => {
    const value = headers[`x-middleware-request-${name.trim()}`];
    return value === undefined ? [] : [name.trim(), String(value)];
  });
  const plan = overridden[overridden.indexOf("x-gateway-plan") + 1];
  if (overridden.includes("x-gateway-plan")) plans.push(plan!);
  forward(incoming, overridden, response, handlerPort);
}

function ask(port: number, { method, url, rawHeaders }: IncomingMessage): Promise<IncomingMessage> {
  const headers = withoutFraming(rawHeaders);
  return new Promise((resolve, reject) => {
    request({ port, host: "127.0.0.1", method: method!, path: url!, headers, setHost: false }, resolve).on("error", reject).end();
  });
}

/** The middleware's request says what the client's did, but carries no body. */
function withoutFraming(raw: readonly string[]): string[] {
  return raw.filter((_, index) => !/^(?:transfer-encoding|content-length)$/i.test(raw[index & ~1]!));
}

function forward(incoming: IncomingMessage, headers: readonly string[], response: ServerResponse, port: number): void {
  const path = incoming.url!.split("?")[0]!.slice(1);
  const matched = ["x-matched-path", `/[[...path]]?nxtPpath=${encodeURIComponent(path)}`];
  const outgoing = request(
    { port, host: "127.0.0.1", method: incoming.method!, path: incoming.url!, headers: [...headers, ...matched], setHost: false },
    (answer) => {
      response.writeHead(answer.statusCode!, answer.rawHeaders);
      answer.pipe(response);
    },
  );
  outgoing.on("error", () => response.destroy());
  response.on("close", () => outgoing.destroy());
  incoming.pipe(outgoing);
}
