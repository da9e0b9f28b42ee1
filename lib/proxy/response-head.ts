/**
 * The head of a backend's answer in its two parts. What everybody gets (the backend's fields cleaned, paths mapped back,
 * `onResponse`) can be kept in a cache; what is one caller's (what caches in front may do, the request id, `onSend`) is put on top
 * for each, after a hit too.
 */

import type { ResponseHead } from "../contract/exchange.ts";
import type { HostTraits } from "../contract/host-traits.ts";
import type { ReverseRewrite } from "../engine/pipeline.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { forbidSharedCaches, forOneCaller } from "../http/cache-control.ts";
import { HeaderList } from "../http/header-list.ts";
import type { BackendHead } from "../http/sanitize-headers.ts";

export interface ShapedHead {
  readonly status: number;
  /** Name, value, name, value. */
  readonly pairs: string[];
}

/** Cache-Control is kept apart: callers and caches get different parts of it. */
export interface SharedHead extends ShapedHead {
  readonly cacheControl: string | undefined;
}

export function sharedHead(
  ctx: RequestContext,
  status: number,
  { pairs, cacheControl }: BackendHead,
  length: string | undefined,
  host: HostTraits,
  reverseRewrite: ReverseRewrite | undefined,
): SharedHead {
  // Operators ask this first when a backend behind the gateway verifies credentials by itself.
  if (status === 401 && ctx.consumer && ctx.upstream!.strippedCredentials.length > 0)
    ctx.record.reason = "the backend answered 401: the caller's credential was kept from it (forwardCredential)";
  reverseRewrite?.(pairs, ctx.upstream!.backend.preserveHost ? ctx.request.host : undefined);
  if (length !== undefined) pairs.push("content-length", length);
  const { onResponse } = ctx.pipeline;
  if (onResponse.length === 0 && host.passesContentEncoding) return { status, pairs, cacheControl };
  const headers = new HeaderList(pairs);
  const head: ResponseHead = { status, headers };
  if (!host.passesContentEncoding) headers.delete("content-encoding");
  if (onResponse.length === 0) return { status, pairs, cacheControl };
  if (cacheControl !== undefined) headers.append("cache-control", cacheControl);
  for (const { policy } of onResponse) policy.onResponse!(ctx, head);
  const changed = headers.has("cache-control") ? headers.all("cache-control").join(", ") : undefined;
  headers.delete("cache-control");
  return { status: head.status, pairs, cacheControl: changed };
}

export function privateHead(ctx: RequestContext, shared: SharedHead): ShapedHead {
  return finishHead(ctx, shared.status, fieldsForOne(shared), false);
}

/** With what caches in front and the browser may do with an answer for one caller. Takes the list over. */
export function fieldsForOne({ pairs, cacheControl }: SharedHead): string[] {
  pairs.push("cache-control", forOneCaller(cacheControl));
  forbidSharedCaches(pairs);
  return pairs;
}

/** `isForAll`: caches in front will give it to others, so that nothing of this one request may stand in it. */
export function finishHead(ctx: RequestContext, status: number, pairs: string[], isForAll: boolean): ShapedHead {
  if (!isForAll) pairs.push("x-request-id", ctx.requestId);
  if (ctx.cacheStatus !== undefined) pairs.push("cache-status", ctx.cacheStatus);
  const { onSend } = ctx.pipeline;
  if (onSend.length === 0) return { status, pairs };
  const head: ResponseHead = { status, headers: new HeaderList(pairs) };
  for (const { policy } of onSend) policy.onSend!(ctx, head);
  return { status: head.status, pairs: head.headers.pairs };
}
