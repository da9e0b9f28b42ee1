/** The end of a request: sending an answer that the gateway made itself, and writing down what happened, exactly once. */

import type { Deps } from "../contract/deps.ts";
import { type Answer, type Refusal, renderProblem } from "../contract/problem.ts";
import type { RequestRecord } from "../contract/record.ts";
import type { Sink } from "../contract/sink.ts";
import { forbidSharedCaches, forOneCaller } from "../http/cache-control.ts";
import { isBodiless } from "../http/framing.ts";
import type { RequestContext } from "./request-context.ts";
import type { Stop } from "./run-steps.ts";

export interface SendContext {
  readonly deps: Deps;
  readonly onRecord?: ((record: RequestRecord) => void) | undefined;
}

/**
 * Renders a refusal or takes an answer as it is, lets the route's policies shape its head, and sends it. It never throws: an answer that
 * can't be written breaks the connection, so that no request is left without an end.
 */
export function sendStop(ctx: RequestContext, stop: Stop, sink: Sink, context: SendContext): void {
  sink.onClose = (complete) => finish(ctx, complete, context);
  try {
    send(ctx, stop, sink, context);
  } catch (error) {
    const { requestId, route } = ctx;
    context.deps.log.error("an answer could not be sent", { requestId, route: route.id, error: String(error) });
    sink.destroy();
  }
}

function send(ctx: RequestContext, stop: Stop, sink: Sink, context: SendContext): void {
  const answer: Answer = "code" in stop ? answerTo(stop, ctx) : stop;
  if ("code" in stop) {
    ctx.code = stop.code;
    ctx.record.reason = stop.reason ?? stop.detail;
  }
  ctx.source = "gateway";
  finishHead(ctx, answer, context);
  ctx.status = answer.status;
  const length = typeof answer.body === "string" ? Buffer.byteLength(answer.body) : (answer.body?.length ?? 0);
  const isEmpty = isBodiless(answer.status);
  if (!isEmpty && !answer.rest) answer.headers.set("content-length", String(length));
  ctx.bytesOut = length;
  if (sink.closed) {
    finish(ctx, false, context);
    return;
  }
  sink.head(answer.status, "", answer.headers.pairs);
  if (answer.rest && ctx.request.method !== "HEAD") sendInParts(ctx, answer, answer.rest, sink);
  else if (!isEmpty && answer.body !== null && ctx.request.method !== "HEAD") sink.end(answer.body);
  else sink.end();
}

function sendInParts(ctx: RequestContext, { body }: Answer, rest: Promise<string>, sink: Sink): void {
  if (body !== null) sink.write(Buffer.from(body));
  rest.then((last) => {
    if (sink.closed) return;
    ctx.bytesOut += Buffer.byteLength(last);
    sink.end(last);
  });
}

function answerTo(refusal: Refusal, ctx: RequestContext): Answer {
  for (const { policy, name } of ctx.pipeline.instead) {
    const answer = policy.instead!(ctx, refusal);
    if (!answer) continue;
    ctx.record.steps.push({ policy: name, verdict: "answered", code: refusal.code, ms: 0 });
    return answer;
  }
  return renderProblem(refusal, ctx.requestId, ctx.target.path);
}

function finishHead(ctx: RequestContext, answer: Answer, { deps }: SendContext): void {
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

/** Ends the request: every policy's onEnd and one record, once, whoever calls first. */
export function finish(ctx: RequestContext, complete: boolean, { deps, onRecord }: SendContext): void {
  ctx.release();
  if (ctx.ended) return;
  ctx.ended = true;
  const { request, pipeline, record } = ctx;
  if (pipeline.onEnd.length === 0 && !onRecord) return;
  const ended: RequestRecord = {
    status: ctx.status,
    source: ctx.source,
    code: ctx.code,
    aborted: !complete,
    bytesIn: ctx.bytesIn,
    bytesOut: ctx.bytesOut,
    durationMs: deps.clock.monotonic() - ctx.startedMs,
    startedAt: record.startedAt,
    requestId: ctx.requestId,
    traceparent: ctx.traceparent,
    method: request.method,
    path: ctx.target.path,
    host: request.host,
    clientIp: request.client.ip,
    frontend: request.client.frontend?.verdict,
    route: ctx.route.id === "" ? undefined : ctx.route.id,
    consumer: ctx.consumer?.id,
    cacheStatus: ctx.cacheStatus,
    reason: record.reason,
    steps: record.steps,
    // After a 304 the attempt that brought it is written down last: its answer ends after the caller's.
    attempts: record.attempts,
    mirror: record.mirror,
  };
  for (const { policy, name } of pipeline.onEnd) {
    try {
      policy.onEnd!(ctx, ended);
    } catch (error) {
      deps.log.error("a policy threw at the end of a request", {
        policy: name,
        requestId: ctx.requestId,
        error: String(error),
      });
    }
  }
  onRecord?.(ended);
}
