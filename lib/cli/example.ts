/** A path that a route is for, and where the engine would send it. */
import type { Backend } from "../backends/backend.ts";
import { paramsOf } from "../engine/match.ts";
import { RequestContext } from "../engine/request-context.ts";
import type { Route } from "../engine/route.ts";
import { HeaderList } from "../http/header-list.ts";
import { readRequestHeaders } from "../http/sanitize-headers.ts";
import { parseTarget } from "../http/target.ts";
import { makeOutgoing } from "../proxy/outgoing.ts";

export function exampleFor(route: Route, backend: Backend): { readonly from: string; readonly to: string } | undefined {
  const from = encodeURI(`/${route.path.slice(1).split("/").map(exampleSegment).join("/")}`);
  const target = parseTarget(from);
  const [first] = backend.targets;
  if (!target || !first) return undefined;
  const headers = new HeaderList();
  const request = {
    method: route.methods?.[0] ?? "GET",
    target: from,
    scheme: "https",
    host: route.host ?? "localhost",
    httpVersion: "1.1",
    headers,
    body: null,
    client: { ip: undefined, geo: undefined },
  } as const;
  const ctx = new RequestContext(request, readRequestHeaders(headers), target, route, 0, 0);
  ctx.setRoute(route, paramsOf(route, target.segments));
  // Only where it goes: policies are not asked.
  const outgoing = makeOutgoing(ctx, { ...ctx.pipeline, onRequest: [] }, first, "", undefined);
  return outgoing && { from: target.path, to: first.origin + outgoing.target };
}

function exampleSegment(segment: string): string {
  if (segment.endsWith("*")) return "a/b";
  if (!segment.startsWith(":")) return segment;
  return /id$/i.test(segment) ? "7" : segment.slice(1);
}
