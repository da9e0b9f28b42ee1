/** What the gateway would do with a request: the engine itself is asked, and what it would send is kept. */
import type { GatewayRequest } from "../exchange.ts";
import type { Verdict } from "../gateway.ts";
import type { StepRecord } from "../observe/record.ts";
import type { ProblemCode } from "../problem.ts";
import type { Visit } from "../visit.ts";
import { type NearRoute, nearRoutes } from "./near-routes.ts";
import type { OfflineGateway } from "./offline-gateway.ts";
import { type Answered, AnswerKeeper, type Sent } from "./outlet.ts";
import { type StepFacts, stepFacts } from "./route-facts.ts";

export interface Explanation {
  readonly visit: Visit;
  /** The answer is a page of the console, which Next serves. */
  readonly kind: "sent" | "refused" | "answered" | "console";
  readonly code: ProblemCode | undefined;
  readonly reason: string | undefined;
  readonly near: readonly NearRoute[];
  readonly steps: readonly (StepRecord & Pick<StepFacts, "row" | "mode">)[];
  /** Steps that would have decided, had none before them. */
  readonly notReached: readonly StepFacts[];
  readonly shapedBy: readonly string[];
  readonly ending: Sent | Answered | undefined;
}

export async function explainRequest({ gateway, outlet }: OfflineGateway, request: GatewayRequest): Promise<Explanation> {
  const verdict = await gateway.decide(request, "whole");
  const { visit } = verdict;
  const ending = await runToEnd(verdict, gateway, outlet);
  const { pipeline, record, code } = visit;
  const deciding = [...pipeline.decide, ...pipeline.execute].map(stepFacts);
  const reached = new Set(record.steps.map(({ policy }) => policy));
  const shaping = ending?.kind === "sent" ? pipeline.onRequest : pipeline.onSend;
  return {
    visit,
    kind: ending === undefined ? "console" : code !== undefined ? "refused" : ending.kind,
    code,
    reason: record.reason,
    near: code === "route-not-found" && visit.route.id === "" ? nearRoutes(gateway.routes, visit) : [],
    steps: record.steps.map((step) => ({ ...placeOf(step, deciding), ...step })),
    notReached: deciding.filter(({ name }) => !reached.has(name)),
    shapedBy: shaping.map(({ name }) => name),
    ending,
  };
}

async function runToEnd(
  verdict: Verdict,
  gateway: OfflineGateway["gateway"],
  outlet: OfflineGateway["outlet"],
): Promise<Explanation["ending"]> {
  const { visit } = verdict;
  const { promise, resolve } = Promise.withResolvers<Sent | Answered>();
  const sink = new AnswerKeeper(resolve);
  outlet.onSent = resolve;
  if (verdict.kind === "stop") gateway.send(visit, verdict.stop, sink);
  else if (verdict.kind === "execute") gateway.execute(visit, sink);
  else return undefined;
  const ending = await promise;
  sink.destroy();
  return ending;
}

/** Of one route, no two policies have one name. */
function placeOf({ policy }: StepRecord, deciding: readonly StepFacts[]): Pick<StepFacts, "row" | "mode"> {
  const { row, mode } = deciding.find(({ name }) => name === policy)!;
  return { row, mode };
}
