/** An answer that a cache fetches, for several callers or for none yet: how its forward differs from that for one caller. */
import type { BackendHead } from "../http/hygiene.ts";
import type { Outgoing } from "../policy.ts";
import type { Refusal } from "../problem.ts";
import { finish } from "../send.ts";
import type { Sink } from "../sink.ts";
import type { Visit } from "../visit.ts";
import type { SharedHead } from "./answer-head.ts";
import type { ExecuteContext } from "./execute.ts";

export interface Fetch {
  /** How long the backend may be silent where the route sets no bound and no caller waits who could leave; undefined where one does. */
  readonly silenceMs: number | undefined;
  /** Changes what the backend is asked, after all policies. */
  shape(outgoing: Outgoing): void;
  /** The head of the backend's answer, shaped for everybody; the sink gets it next. `names` are of the fields that it came with. */
  receive(shared: SharedHead, backend: BackendHead, names: readonly string[]): void;
  /** Instead of an answer; at most once, only before a head. */
  fail(refusal: Refusal): void;
}

/** In place of the backend's answer: to the cache that asked for it, or to the sink's caller. */
export function refuseTo(refusal: Refusal, visit: Visit, sink: Sink, context: ExecuteContext, fetch: Fetch | undefined): void {
  if (!fetch) {
    context.refuse(refusal, visit, sink);
    return;
  }
  fetch.fail(refusal);
  finish(visit, false, context);
}
