/** Sends an answer that the gateway made itself. */

import type { Deps } from "../contract/deps.ts";
import { type LocalResponse, type Refusal, renderProblem } from "../contract/problem.ts";
import type { Sink } from "../contract/sink.ts";
import { forbidSharedCaches, forOneCaller } from "../http/cache-control.ts";
import { isBodiless } from "../http/framing.ts";
import type { RequestContext } from "./request-context.ts";
import type { EarlyResponse } from "./run-steps.ts";

export interface SendContext {
  readonly deps: Deps;
}

/** Sends the answer to a request that has no run, and listens to the end of the sink. */
export function sendEarly(ctx: RequestContext, stop: EarlyResponse, sink: Sink, context: SendContext): void {
  sink.onClose = (isComplete) => ctx.complete(isComplete);
  writeEarly(ctx, stop, sink, context);
}

/**
 * Renders a refusal or takes an answer as it is, lets the route's policies shape its head, and sends it. It never throws: an answer that
 * can't be written breaks the connection, so that no request is left without an end.
 */
export function writeEarly(ctx: RequestContext, stop: EarlyResponse, sink: Sink, context: SendContext): void {
  try {
    send(ctx, stop, sink, context);
  } catch (error) {
    const { requestId, route } = ctx;
    context.deps.log.error("an answer could not be sent", { requestId, route: route.id, error: String(error) });
    sink.destroy();
  }
}

function send(ctx: RequestContext, stop: EarlyResponse, sink: Sink, context: SendContext): void {
  const answer: LocalResponse = "code" in stop ? answerTo(stop, ctx) : stop;
  if ("code" in stop) {
    ctx.setRefusal(stop);
  }
  finishHead(ctx, answer, context);
  ctx.setAnswer(answer.status, "gateway");
  const length = typeof answer.body === "string" ? Buffer.byteLength(answer.body) : (answer.body?.length ?? 0);
  const isEmpty = isBodiless(answer.status);
  if (!isEmpty && !answer.rest) answer.headers.set("content-length", String(length));
  ctx.countSent(length);
  if (sink.closed) {
    ctx.complete(false);
    return;
  }
  sink.head(answer.status, "", answer.headers.pairs);
  if (answer.rest && ctx.request.method !== "HEAD") sendInParts(ctx, answer, answer.rest, sink);
  else if (!isEmpty && answer.body !== null && ctx.request.method !== "HEAD") sink.end(answer.body);
  else sink.end();
}

function sendInParts(ctx: RequestContext, { body }: LocalResponse, rest: Promise<string>, sink: Sink): void {
  if (body !== null) sink.write(Buffer.from(body));
  rest.then((last) => {
    if (sink.closed) return;
    ctx.countSent(Buffer.byteLength(last));
    sink.end(last);
  });
}

function answerTo(refusal: Refusal, ctx: RequestContext): LocalResponse {
  for (const { policy, name } of ctx.pipeline.onBackendFailure) {
    const answer = policy.onBackendFailure ? policy.onBackendFailure(ctx, refusal) : policy.instead!(ctx, refusal);
    if (!answer) continue;
    ctx.record.steps.push({ policy: name, verdict: "answered", code: refusal.code, ms: 0 });
    return answer;
  }
  return renderProblem(refusal, ctx.requestId, ctx.target.path);
}

function finishHead(ctx: RequestContext, answer: LocalResponse, { deps }: SendContext): void {
  const { headers } = answer;
  headers.set("cache-control", forOneCaller(headers.get("cache-control")));
  forbidSharedCaches(headers.pairs);
  headers.set("x-request-id", ctx.requestId);
  if (ctx.cacheStatus !== undefined) headers.append("cache-status", ctx.cacheStatus);
  for (const { policy, name } of ctx.pipeline.onSend) {
    try {
      policy.onSend!(ctx, answer);
    } catch (error) {
      deps.log.error("a policy threw while shaping an answer", {
        policy: name,
        requestId: ctx.requestId,
        error: String(error),
      });
    }
  }
}
