/** An exchange for unit tests, as the engine makes it for a request on a route. */

import type { CompiledRoute } from "#lib/contract/compiled/config.ts";
import type { Client, Consumer, GatewayRequest } from "#lib/contract/request.ts";
import { paramsOf } from "#lib/engine/match.ts";
import { RequestContext } from "#lib/engine/request-context.ts";
import { createRoute, type Route, UNROUTED } from "#lib/engine/route.ts";
import { buildPipeline, type PipelineSource } from "#lib/gateway/build-pipeline.ts";
import type { Geo } from "#lib/http/geo.ts";
import { HeaderList } from "#lib/http/header-list.ts";
import { readRequestHeaders } from "#lib/http/sanitize-headers.ts";
import { parseTarget, UNREADABLE_TARGET } from "#lib/http/target.ts";

export interface ExchangeParts {
  readonly method?: string;
  readonly target: string;
  /** The route's pattern. */
  readonly path?: string;
  readonly headers?: string[];
  readonly body?: GatewayRequest["body"];
  readonly ip?: string;
  readonly geo?: Geo;
  readonly consumer?: Consumer;
}

export function exchangeFor({ path = "/*", consumer, ...parts }: ExchangeParts): RequestContext {
  const request = requestFor(parts);
  const target = parseTarget(request.target) ?? UNREADABLE_TARGET;
  const ctx = new RequestContext(request, readRequestHeaders(request.headers), target, routeFor({ path }), 0, 0);
  const route = routeFor({ path });
  ctx.setRoute(route, paramsOf(route, target.segments));
  ctx.consumer = consumer;
  return ctx;
}

export function requestFor({
  method = "GET",
  target,
  headers = [],
  body = null,
  ip,
  geo,
}: Omit<ExchangeParts, "path" | "consumer">): GatewayRequest {
  const client: Client = { ip, geo };
  return {
    method,
    target,
    scheme: "http",
    host: "gateway.example",
    httpVersion: "1.1",
    headers: new HeaderList(headers),
    body,
    client,
  };
}

/** Nothing of it is asked for: the routes here have no steps. */
const NO_SOURCE: PipelineSource = {
  config: undefined as never,
  builtIn: new Map(),
  custom: new Map(),
  authenticators: new Map(),
  metadata: undefined,
  backends: [],
  assertions: { byBackend: new Map(), jwks: undefined },
  deps: undefined as never,
};

/** A route that serves nothing, with the fields that a test is about. */
export function routeFor(fields: Partial<CompiledRoute>): Route {
  return createRoute({ ...UNROUTED, id: fields.path ?? "/*", ...fields }, (route, variant) =>
    buildPipeline(NO_SOURCE, route, variant, undefined),
  );
}
