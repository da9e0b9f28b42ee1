/** No answer came: to the cache that asked for it, or to the sink's caller. */
import type { Refusal } from "../contract/problem.ts";
import type { Sink } from "../contract/sink.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { ExecuteContext, Fetch } from "./context.ts";

/** In place of the backend's answer: to the cache that asked for it, or to the sink's caller. */
export function refuseTo(
  refusal: Refusal,
  ctx: RequestContext,
  sink: Sink,
  context: ExecuteContext,
  fetch: Fetch | undefined,
): void {
  if (!fetch) {
    context.refuse(refusal, ctx, sink);
    return;
  }
  fetch.fail(refusal);
  ctx.complete(false);
}
