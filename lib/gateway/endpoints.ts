/** The engine's own endpoints, below /gateway on every host and independent of the routes. */
import type { MaybePromise } from "../contract/maybe-promise.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { EarlyResponse } from "../engine/run-steps.ts";
import type { Target } from "../http/target.ts";

export interface Endpoints {
  /** Whether the target is a page of the console or one of its files: the host serves those. */
  isConsole(target: Target): boolean;
  /** A refusal for callers who may not see the console. */
  admit(ctx: RequestContext): EarlyResponse | undefined;
  /** The answer to the operator's `frontdesk doctor`, which may ask on any path; undefined for every other request. */
  diagnose(ctx: RequestContext): (() => EarlyResponse) | undefined;
  answer(ctx: RequestContext): MaybePromise<EarlyResponse>;
}
