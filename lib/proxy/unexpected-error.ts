/** An error that was thrown: a fault of the caller's body, or a bug, which the log has. */
import type { Log } from "../contract/deps.ts";
import { type Refusal, refuse } from "../contract/problem.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { BodyFault } from "./request-body.ts";

export function refusalOf(error: unknown): Refusal {
  if (error instanceof BodyFault) return refuse(error.code, { detail: error.message });
  return refuse("internal", { reason: String(error) });
}

export function logUnexpected(error: unknown, { requestId, route }: RequestContext, log: Log): void {
  if (error instanceof BodyFault) return;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log.error("the gateway failed", { requestId, route: route.id, error: text });
}
