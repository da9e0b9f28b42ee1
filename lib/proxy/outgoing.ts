/** What a backend gets to see of a request: its fields, cleaned, and what the gateway says about where they came from. */

import type { Assertion } from "../backends/assertions.ts";
import type { BackendTarget } from "../backends/backend.ts";
import type { Exchange, Outgoing } from "../contract/exchange.ts";
import { renderPath } from "../contract/render-template.ts";
import type { Consumer } from "../contract/request.ts";
import { replacesBytes } from "../engine/body-taps.ts";
import type { Pipeline } from "../engine/pipeline.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { removeCredential } from "../http/credential.ts";
import { HeaderList } from "../http/header-list.ts";
import { endToEndRequestPairs } from "../http/sanitize-headers.ts";

/** Undefined where a value of the request would make the path climb out of what the route's rewrite names. */
export function makeOutgoing(
  ctx: RequestContext,
  { requestBody, onRequest, identityFields }: Pick<Pipeline, "requestBody" | "onRequest" | "identityFields">,
  target: BackendTarget,
  via: string,
  acceptEncoding: string | undefined,
): Outgoing | undefined {
  const { request, facts, consumer } = ctx;
  const keepLength = request.body !== null && !replacesBytes(requestBody, "requestBody");
  const pairs = endToEndRequestPairs(facts.headers, keepLength);
  const { backend, assertion, strippedCredentials } = ctx.upstream!;
  // Where a request has none, it is the target's.
  if (backend.preserveHost && request.host !== "") pairs.push("host", request.host);
  const ip = request.client.ip;
  if (ip !== undefined) pairs.push("x-forwarded-for", ip);
  pairs.push("x-forwarded-proto", request.scheme, "forwarded", forwarded(ip, request));
  // An HTTP/1.0 request may have none.
  if (request.host !== "") pairs.push("x-forwarded-host", request.host);
  const { rewrite } = ctx.route;
  if (rewrite?.kind === "strip") pairs.push("x-forwarded-prefix", rewrite.encoded);
  pairs.push(
    "via",
    facts.via === undefined ? via : `${facts.via}, ${via}`,
    "x-request-id",
    ctx.requestId,
    "traceparent",
    ctx.traceparent,
  );
  if (ctx.tracestate !== undefined) pairs.push("tracestate", ctx.tracestate);
  if (consumer) pairs.push("x-gateway-consumer", consumer.id);
  const requestTarget = targetFor(ctx, target);
  if (requestTarget === undefined) return undefined;
  const headers = new HeaderList(pairs);
  const outgoing: Outgoing = { method: request.method, target: requestTarget, headers };
  for (const name of identityFields) headers.delete(name);
  for (const source of strippedCredentials) removeCredential(outgoing, source);
  if (acceptEncoding !== undefined) headers.set("accept-encoding", acceptEncoding);
  for (const [name, value] of backend.headers) headers.set(name, value);
  for (const { policy } of onRequest) policy.onRequest!(ctx, outgoing);
  if (assertion) assertCaller(headers, assertion, consumer);
  return outgoing;
}

/** Last, so that nothing else has the last word. For an unknown caller the field stays empty, whatever it was sent with. */
function assertCaller(headers: HeaderList, { field, valueFor }: Assertion, consumer: Consumer | undefined): void {
  if (consumer) headers.set(field, valueFor(consumer));
  else headers.delete(field);
}

/** RFC 7239 section 4; an IPv6 address is quoted and bracketed (section 6). */
function forwarded(ip: string | undefined, { host, scheme }: Exchange["request"]): string {
  const node = ip === undefined ? "unknown" : ip.includes(":") ? `"[${ip}]"` : ip;
  const toHost = host === "" ? "" : `host="${host.replace(/["\\]/g, "")}";`;
  return `for=${node};${toHost}proto=${scheme}`;
}

/** The target's base path, the route's rewrite, and the query as it was received; undefined where a caller's value would climb. */
function targetFor(exchange: Exchange, { basePath }: BackendTarget): string | undefined {
  const { target, route } = exchange;
  const { rewrite } = route;
  if (rewrite === undefined) return basePath === "" ? target.raw : basePath + target.raw;
  if (rewrite.kind === "path") {
    const path = renderPath(rewrite.template, exchange);
    return path === undefined ? undefined : basePath + path + target.search;
  }
  const rest = withoutPrefix(target.path, rewrite.prefix);
  return `${basePath}${rest === "" ? "/" : rest}${target.search}`;
}

/**
 * The path as received without its first segments. The prefix was matched decoded, so it is cut by counting segments: `/%61pi/x`
 * and `/api/x` lose the same.
 */
function withoutPrefix(path: string, prefix: string): string {
  if (path.startsWith(prefix)) return path.slice(prefix.length);
  let end = 0;
  for (let left = prefix.split("/").length - 1; left > 0; left--) {
    const slash = path.indexOf("/", end + 1);
    if (slash < 0) return "";
    end = slash;
  }
  return path.slice(end);
}
