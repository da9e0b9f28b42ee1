/** The end of a request: sending an answer that the gateway made itself, and writing down what happened, exactly once. */

import type { Deps } from "../contract/deps.ts";
import { type Answer, type Refusal, renderProblem } from "../contract/problem.ts";
import type { RequestRecord } from "../contract/record.ts";
import type { Sink } from "../contract/sink.ts";
import { forbidSharedCaches, forOneCaller } from "../http/cache-control.ts";
import { isBodiless } from "../http/framing.ts";
import type { Stop } from "./run-steps.ts";
import type { Visit } from "./visit.ts";

export interface SendContext {
  readonly deps: Deps;
  readonly onRecord?: ((record: RequestRecord) => void) | undefined;
}

/**
 * Renders a refusal or takes an answer as it is, lets the route's policies shape its head, and sends it. It never throws: an answer that
 * can't be written breaks the connection, so that no request is left without an end.
 */
export function sendStop(visit: Visit, stop: Stop, sink: Sink, context: SendContext): void {
  sink.onClose = (complete) => finish(visit, complete, context);
  try {
    send(visit, stop, sink, context);
  } catch (error) {
    const { requestId, route } = visit;
    context.deps.log.error("an answer could not be sent", { requestId, route: route.id, error: String(error) });
    sink.destroy();
  }
}

function send(visit: Visit, stop: Stop, sink: Sink, context: SendContext): void {
  const answer: Answer = "code" in stop ? answerTo(stop, visit) : stop;
  if ("code" in stop) {
    visit.code = stop.code;
    visit.record.reason = stop.reason ?? stop.detail;
  }
  visit.source = "gateway";
  finishHead(visit, answer, context);
  visit.status = answer.status;
  const length = typeof answer.body === "string" ? Buffer.byteLength(answer.body) : (answer.body?.length ?? 0);
  const isEmpty = isBodiless(answer.status);
  if (!isEmpty && !answer.rest) answer.headers.set("content-length", String(length));
  visit.bytesOut = length;
  if (sink.closed) {
    finish(visit, false, context);
    return;
  }
  sink.head(answer.status, "", answer.headers.pairs);
  if (answer.rest && visit.request.method !== "HEAD") sendInParts(visit, answer, answer.rest, sink);
  else if (!isEmpty && answer.body !== null && visit.request.method !== "HEAD") sink.end(answer.body);
  else sink.end();
}

function sendInParts(visit: Visit, { body }: Answer, rest: Promise<string>, sink: Sink): void {
  if (body !== null) sink.write(Buffer.from(body));
  rest.then((last) => {
    if (sink.closed) return;
    visit.bytesOut += Buffer.byteLength(last);
    sink.end(last);
  });
}

function answerTo(refusal: Refusal, visit: Visit): Answer {
  for (const { policy, name } of visit.pipeline.instead) {
    const answer = policy.instead!(visit, refusal);
    if (!answer) continue;
    visit.record.steps.push({ policy: name, verdict: "answered", code: refusal.code, ms: 0 });
    return answer;
  }
  return renderProblem(refusal, visit.requestId, visit.target.path);
}

function finishHead(visit: Visit, answer: Answer, { deps }: SendContext): void {
  const { headers } = answer;
  headers.set("cache-control", forOneCaller(headers.get("cache-control")));
  forbidSharedCaches(headers.pairs);
  headers.set("x-request-id", visit.requestId);
  if (visit.cacheStatus !== undefined) headers.append("cache-status", visit.cacheStatus);
  for (const { policy, name } of visit.pipeline.onSend) {
    try {
      policy.onSend!(visit, answer);
    } catch (error) {
      deps.log.error("a policy threw while shaping an answer", {
        policy: name,
        requestId: visit.requestId,
        error: String(error),
      });
    }
  }
}

/** Ends the request: every policy's onEnd and one record, once, whoever calls first. */
export function finish(visit: Visit, complete: boolean, { deps, onRecord }: SendContext): void {
  visit.release();
  if (visit.ended) return;
  visit.ended = true;
  const { request, pipeline, record } = visit;
  if (pipeline.onEnd.length === 0 && !onRecord) return;
  // A copy that nothing changes any more: a background refresh or a mirror may go on writing into the draft.
  const ended: RequestRecord = Object.freeze({
    status: visit.status,
    source: visit.source,
    code: visit.code,
    aborted: !complete,
    bytesIn: visit.bytesIn,
    bytesOut: visit.bytesOut,
    durationMs: deps.clock.monotonic() - visit.startedMs,
    startedAt: record.startedAt,
    requestId: visit.requestId,
    traceparent: visit.traceparent,
    method: request.method,
    path: visit.target.path,
    host: request.host,
    clientIp: request.client.ip,
    frontend: request.client.frontend?.verdict,
    route: visit.route.id === "" ? undefined : visit.route.id,
    consumer: visit.consumer?.id,
    reason: record.reason,
    steps: Object.freeze([...record.steps]),
    attempts: Object.freeze([...record.attempts]),
    mirror: record.mirror,
  });
  for (const { policy, name } of pipeline.onEnd) {
    try {
      policy.onEnd!(visit, ended);
    } catch (error) {
      deps.log.error("a policy threw at the end of a request", {
        policy: name,
        requestId: visit.requestId,
        error: String(error),
      });
    }
  }
  onRecord?.(ended);
}
