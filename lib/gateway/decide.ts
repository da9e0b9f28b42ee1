/** Decides a request before its body is read: guard, the gateway's own endpoints, screen, then the deciding steps of its route. */
import type { Deps } from "../contract/deps.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import { refuse } from "../contract/problem.ts";
import { guardRequest } from "../engine/guard.ts";
import type { Matcher } from "../engine/match.ts";
import { fitsPlan } from "../engine/plan.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { type EarlyResponse, runSteps, type StepsResult } from "../engine/run-steps.ts";
import type { Screen } from "../engine/screen.ts";
import type { Endpoints } from "./endpoints.ts";
import type { ResourceMetadata } from "./resource-metadata.ts";

export type Verdict =
  /** Refused, or answered without a backend. */
  | { readonly kind: "stop"; readonly ctx: RequestContext; readonly stop: EarlyResponse }
  | { readonly kind: "execute"; readonly ctx: RequestContext }
  /** A page that the host serves; the caller may see it. */
  | { readonly kind: "console"; readonly ctx: RequestContext }
  /** Only from the front half: nothing was charged, and the handler decides. */
  | { readonly kind: "defer"; readonly ctx: RequestContext };

/** `front` is a half of its own (Vercel's middleware), `whole` is all of it in one place. */
export type Half = "front" | "whole";

export interface DecideOptions {
  readonly endpoints: Endpoints;
  readonly metadata: ResourceMetadata | undefined;
  readonly match: Matcher;
  readonly screen: Screen;
  readonly deps: Deps;
}

export function createDecide(options: DecideOptions): (ctx: RequestContext, half: Half) => MaybePromise<Verdict> {
  const { endpoints, metadata, match, screen, deps } = options;
  return (ctx, half) => {
    const unclear = guardRequest(ctx);
    if (unclear) return { kind: "stop", ctx, stop: unclear };
    if (ctx.facts.withReserved !== undefined) {
      const diagnosed = endpoints.diagnose(ctx);
      if (diagnosed) return half === "front" ? { kind: "defer", ctx } : { kind: "stop", ctx, stop: diagnosed() };
    }
    if (ctx.target.segments[0] === "gateway") return decideEndpoint(ctx, half, endpoints);
    const document = metadata?.answer(ctx.request, ctx.target, match);
    if (document) return { kind: "stop", ctx, stop: document };
    const refusal = screen(ctx);
    if (refusal) return { kind: "stop", ctx, stop: refusal };
    const { pipeline } = ctx;
    if (half === "whole") return verdictOf(ctx, runSteps(pipeline.decide, ctx, deps));
    if (pipeline.decideIn === "handler") return { kind: "defer", ctx };
    const fits = () => fitsPlan(ctx.toPlan());
    return verdictOf(ctx, runSteps(pipeline.decide, ctx, deps, fits));
  };
}

function decideEndpoint(ctx: RequestContext, half: Half, endpoints: Endpoints): MaybePromise<Verdict> {
  if (endpoints.isConsole(ctx.target)) {
    const stop = PAGE_METHODS.has(ctx.request.method) ? endpoints.admit(ctx) : NO_PAGE_METHOD;
    return stop ? { kind: "stop", ctx, stop } : { kind: "console", ctx };
  }
  if (half === "front") return { kind: "defer", ctx };
  const answer = endpoints.answer(ctx);
  return answer instanceof Promise ? answer.then((stop) => ({ kind: "stop", ctx, stop })) : { kind: "stop", ctx, stop: answer };
}

/** Next answers other methods of a page with 500 or with the page itself. */
const PAGE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);
const NO_PAGE_METHOD = refuse("method-not-allowed", { headers: ["allow", "GET, HEAD"] });

function verdictOf(ctx: RequestContext, result: MaybePromise<StepsResult>): MaybePromise<Verdict> {
  if (result instanceof Promise) return result.then((settled) => verdictOf(ctx, settled));
  if (result.kind === "stopped") return { kind: "stop", ctx, stop: result.stop };
  return { kind: result.kind === "passed" ? "execute" : "defer", ctx };
}
