/** Whether a request that its own backend has failed may go to another one, by the route's `fallback`. */
import { Readable } from "node:stream";
import type { RequestContext } from "../engine/request-context.ts";
import { IDEMPOTENT } from "./idempotent.ts";

/** What was sent may have been carried out, so only what is safe to repeat goes on then; a body that was read is gone. */
export function canFallBack({ pipeline, upstream, request, requestBody }: RequestContext, wasSent: boolean): boolean {
  if (!pipeline.fallback || upstream === pipeline.fallback || (wasSent && !IDEMPOTENT.has(request.method))) return false;
  return !(requestBody instanceof Readable && (requestBody.readableDidRead || requestBody.destroyed));
}
