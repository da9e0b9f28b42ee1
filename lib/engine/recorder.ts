/** Writes down how a request ended: calls every policy's `onEnd`, and emits one frozen record. */
import type { Deps } from "../contract/deps.ts";
import type { AttemptRecord, RequestRecord, StepRecord } from "../contract/record.ts";
import type { Recorder, RequestContext } from "./request-context.ts";

export function createRecorder(deps: Deps, onRecord: ((record: RequestRecord) => void) | undefined): Recorder {
  return {
    write(ctx, isComplete) {
      const { onEnd } = ctx.pipeline;
      if (onEnd.length === 0 && !onRecord) return;
      const record = recordOf(ctx, isComplete, deps.clock.monotonic());
      for (const { policy, name } of onEnd) {
        try {
          policy.onEnd!(ctx, record);
        } catch (error) {
          deps.log.error("a policy threw at the end of a request", {
            policy: name,
            requestId: ctx.requestId,
            error: String(error),
          });
        }
      }
      onRecord?.(record);
    },
  };
}

function recordOf(ctx: RequestContext, isComplete: boolean, monotonicMs: number): RequestRecord {
  const { request, record } = ctx;
  return Object.freeze({
    status: ctx.status,
    source: ctx.source,
    code: ctx.code,
    aborted: !isComplete,
    bytesIn: ctx.bytesIn,
    bytesOut: ctx.bytesOut,
    durationMs: monotonicMs - ctx.startedMs,
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
    steps: frozenSteps(record.steps),
    attempts: frozenAttempts(record.attempts),
    mirror: record.mirror,
  });
}

const NO_STEPS: readonly StepRecord[] = Object.freeze([]);
const NO_ATTEMPTS: readonly AttemptRecord[] = Object.freeze([]);

/** A step is complete when it is written down. */
function frozenSteps(steps: readonly StepRecord[]): readonly StepRecord[] {
  return steps.length === 0 ? NO_STEPS : Object.freeze(steps.map((step) => Object.freeze(step)));
}

/** An attempt may go on for other callers of a cache: the record gets a copy. */
function frozenAttempts(attempts: readonly AttemptRecord[]): readonly AttemptRecord[] {
  return attempts.length === 0 ? NO_ATTEMPTS : Object.freeze(attempts.map((attempt) => Object.freeze({ ...attempt })));
}
