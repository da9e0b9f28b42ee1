/** Begins a request: reads its head and target once, and makes the context that all later steps share. */
import type { Clock } from "../contract/deps.ts";
import type { GatewayRequest } from "../contract/request.ts";
import { readRequestHeaders } from "../http/sanitize-headers.ts";
import { authorityOf, parseTarget, UNREADABLE_TARGET } from "../http/target.ts";
import { type Recorder, RequestContext } from "./request-context.ts";
import type { Route } from "./route.ts";

/** The context belongs to no route yet: it has the pipeline of `unrouted`. `recorder` writes down how it ends. */
export function beginRequest(received: GatewayRequest, unrouted: Route, clock: Clock, recorder: Recorder): RequestContext {
  const facts = received.facts ?? readRequestHeaders(received.headers);
  const authority = authorityOf(received.target);
  const isAsReceived = authority === undefined && facts.headers === received.headers;
  const request = isAsReceived ? received : { ...received, headers: facts.headers, host: authority ?? received.host };
  const target = parseTarget(received.target) ?? UNREADABLE_TARGET;
  return new RequestContext(request, facts, target, unrouted, clock.now(), clock.monotonic(), recorder);
}
