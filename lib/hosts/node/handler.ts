/** The Node host's adapter: node:http on one side, the engine on the other. Whom it believes about the caller: ./node-caller.ts. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Log } from "../../contract/deps.ts";
import { refuse } from "../../contract/problem.ts";
import type { GatewayRequest } from "../../contract/request.ts";
import type { Verdict } from "../../gateway/decide.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { hasBody } from "../../http/framing.ts";
import { HeaderList } from "../../http/header-list.ts";
import { requestFault } from "../../http/request-fault.ts";
import { type RequestFacts, readRequestHeaders } from "../../http/sanitize-headers.ts";
import { callerOf, trustedFields } from "./caller.ts";
import { connectionOf } from "./connection.ts";
import type { Locate } from "./geo-database.ts";
import { NodeSink } from "./sink.ts";

/** What the host itself serves: a page of the console. */
export type ServePage = (request: IncomingMessage, response: ServerResponse) => void;

export interface NodeHandling {
  readonly servePage: ServePage;
  readonly log: Log;
  /** Where an address is. */
  readonly locate?: Locate | undefined;
  /** What the caller's `Expect` says: "continue" waits for a word before it sends the body (RFC 9110 section 10.1.1). */
  readonly expects: "nothing" | "continue" | "unknown";
}

/** Handles one request on the gateway that is current when it arrives: a reload does not touch it any more. */
export function handleNodeRequest(
  request: IncomingMessage,
  response: ServerResponse,
  gateway: Gateway,
  { servePage, log, locate, expects }: NodeHandling,
): void {
  const facts = readRequestHeaders(new HeaderList(request.rawHeaders), trustedFields(request, gateway.config));
  const received = toGatewayRequest(request, facts, gateway, locate);
  connectionOf(request.socket).response = response;
  // RFC 9112 section 3.2: a request of HTTP/1.1 has a Host, also where its target is absolute.
  const fault = facts.host === undefined && request.httpVersion === "1.1" ? "no Host" : requestFault(received, facts);
  if (fault) {
    // Where its framing is in doubt, so is where the next request begins.
    response.shouldKeepAlive = false;
    gateway.refuse(received, refuse("bad-request", { detail: `There is ${fault}.` }), new NodeSink(response));
    return;
  }
  if (expects === "unknown") {
    // Whether the body still comes is the caller's choice.
    response.shouldKeepAlive = false;
    gateway.refuse(received, refuse("expectation-failed"), new NodeSink(response));
    return;
  }
  // Node loses what follows an offer that is not taken in the same read: what came next would begin in the middle of a request.
  if (facts.upgrade !== undefined) response.shouldKeepAlive = false;
  if (received.body) response.once("finish", () => drain(request));
  const act = (verdict: Verdict) => {
    switch (verdict.kind) {
      case "execute":
        if (expects === "continue") response.writeContinue();
        gateway.execute(verdict.ctx, new NodeSink(response));
        break;
      case "stop":
        // Whether the body still comes is the caller's choice now: only a new connection has a sure beginning.
        if (expects === "continue") response.shouldKeepAlive = false;
        gateway.send(verdict.ctx, verdict.stop, new NodeSink(response));
        break;
      case "console":
        servePage(request, response);
        break;
      case "defer":
        throw new Error("only a front half may leave a decision for later");
    }
  };
  const crash = (error: unknown) => {
    log.error("the gateway failed", { error: error instanceof Error ? error.stack : String(error) });
    try {
      if (response.headersSent) response.destroy();
      else gateway.refuse(received, refuse("internal"), new NodeSink(response));
    } catch {
      // The same bug again: the request ends all the same.
      response.destroy();
    }
  };
  try {
    const verdict = gateway.decide(received, "whole");
    if (verdict instanceof Promise) verdict.then(act).catch(crash);
    else act(verdict);
  } catch (error) {
    crash(error);
  }
}

/** A request that the host refuses by itself, so that it was not read before. */
export function receivedRequest(request: IncomingMessage, gateway: Gateway, locate: Locate): GatewayRequest {
  return toGatewayRequest(request, readRequestHeaders(new HeaderList(request.rawHeaders)), gateway, locate);
}

function toGatewayRequest(
  request: IncomingMessage,
  facts: RequestFacts,
  { config }: Gateway,
  locate: Locate | undefined,
): GatewayRequest {
  const { client, scheme, host } = callerOf(request, facts, config, locate);
  return {
    method: request.method!,
    target: request.url!,
    scheme,
    host,
    httpVersion: request.httpVersion,
    headers: facts.headers,
    facts,
    body: hasBody(facts) ? request : null,
    client,
  };
}

/** What may still come of a body that was answered early, before the connection is given up. */
const DRAIN_BYTES = 1024 * 1024;
const DRAIN_MS = 5_000;

/**
 * Reads the rest of a body whose answer has been sent, so that the connection can be used again. Closing at once would reset it,
 * and a caller still sending might never read the answer (RFC 9112 section 9.6); reading without end would let it hold us.
 */
function drain(request: IncomingMessage): void {
  if (request.complete) return;
  let left = DRAIN_BYTES;
  const giveUp = () => request.socket.destroy();
  const timer = setTimeout(giveUp, DRAIN_MS).unref();
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) giveUp();
  });
  request.once("close", () => clearTimeout(timer));
  request.once("end", () => clearTimeout(timer));
  request.resume();
}
