/** What the gateway would do with a request: the engine itself is asked, and what it would send is kept. */

import type { RefusalCode } from "../contract/problem.ts";
import type { StepRecord } from "../contract/record.ts";
import type { GatewayRequest } from "../contract/request.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { Verdict } from "../gateway/decide.ts";
import { type Answered, AnswerKeeper, type Sent } from "./dry-run-dispatcher.ts";
import type { OfflineGateway } from "./offline-gateway.ts";
import { type StepFacts, stepFacts } from "./route-facts.ts";
import { type NearRoute, nearRoutes } from "./similar-routes.ts";

export interface Explanation {
  readonly ctx: RequestContext;
  /** `console`: the answer is a page, which Next serves. `undecided`: what judges the credential is not asked here. */
  readonly kind: "sent" | "refused" | "answered" | "console" | "undecided";
  /** Where `undecided`: who would be asked about the credential. */
  readonly askedOf: readonly string[];
  readonly code: RefusalCode | undefined;
  readonly reason: string | undefined;
  readonly near: readonly NearRoute[];
  readonly steps: readonly ExplainedStep[];
  /** Steps that would have decided, had none before them. */
  readonly notReached: readonly StepFacts[];
  readonly shapedBy: readonly string[];
  readonly ending: Sent | Answered | undefined;
}

export interface ExplainedStep extends Omit<StepRecord, "verdict">, Pick<StepFacts, "phase" | "mode"> {
  readonly verdict: StepRecord["verdict"] | "undecided";
}

export async function explainRequest(
  { gateway, outlet, unasked }: OfflineGateway,
  request: GatewayRequest,
): Promise<Explanation> {
  const verdict = await gateway.decide(request, "whole");
  const { ctx } = verdict;
  const ending = await runToEnd(verdict, gateway, outlet);
  const { pipeline, record, code } = ctx;
  const deciding = [...pipeline.decide, ...pipeline.execute].map(stepFacts);
  const reached = new Set(record.steps.map(({ policy }) => policy));
  const shaping = ending?.kind === "sent" ? pipeline.onRequest : pipeline.onSend;
  const steps = record.steps.map((step): ExplainedStep => ({ ...placeOf(step, deciding), ...step }));
  const common = { ctx, notReached: deciding.filter(({ name }) => !reached.has(name)) };
  if (unasked.size > 0 && isUndecided(record.steps.at(-1))) {
    const { policy, phase, mode, ms } = steps.pop()!;
    steps.push({ policy, phase, mode, ms, verdict: "undecided" });
    const nothing = { code: undefined, reason: undefined, near: [], shapedBy: [], ending: undefined };
    return { ...common, ...nothing, kind: "undecided", askedOf: [...unasked], steps };
  }
  return {
    ...common,
    askedOf: [],
    kind: ending === undefined ? "console" : code !== undefined ? "refused" : ending.kind,
    code,
    reason: record.reason,
    near: code === "route-not-found" && ctx.route.id === "" ? nearRoutes(gateway.routes, ctx) : [],
    steps,
    shapedBy: shaping.map(({ name }) => name),
    ending,
  };
}

/** The gateway would answer 503 where nobody can judge a credential; offline that says nothing about the request. */
function isUndecided(last: StepRecord | undefined): boolean {
  return last?.policy === "auth" && last.verdict === "refused" && last.code === "store-unavailable";
}

async function runToEnd(
  verdict: Verdict,
  gateway: OfflineGateway["gateway"],
  outlet: OfflineGateway["outlet"],
): Promise<Explanation["ending"]> {
  const { ctx } = verdict;
  const { promise, resolve } = Promise.withResolvers<Sent | Answered>();
  const sink = new AnswerKeeper(resolve);
  outlet.onSent = resolve;
  if (verdict.kind === "stop") gateway.send(ctx, verdict.stop, sink);
  else if (verdict.kind === "execute") gateway.execute(ctx, sink);
  else return undefined;
  const ending = await promise;
  sink.destroy();
  return ending;
}

/** Of one route, no two policies have one name. */
function placeOf({ policy }: StepRecord, deciding: readonly StepFacts[]): Pick<StepFacts, "phase" | "mode"> {
  const { phase, mode } = deciding.find(({ name }) => name === policy)!;
  return { phase, mode };
}
