/** Begins the second half of a request: what needs the body, then its run. */
import type { Readable } from "node:stream";
import type { Sink } from "../contract/sink.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { type EarlyResponse, runSteps } from "../engine/run-steps.ts";
import { sendEarly } from "../engine/send.ts";
import { CountedBody, collectBody } from "./request-body.ts";
import { RequestRun } from "./request-run.ts";
import type { ProxyDeps } from "./run.ts";
import { logUnexpected, refusalOf } from "./unexpected-error.ts";

export function execute(ctx: RequestContext, sink: Sink, proxy: ProxyDeps): void {
  const bufferBytes = bufferBytesFor(ctx);
  const body = openBody(ctx, bufferBytes, proxy);
  const start = () => new RequestRun(ctx, ctx.body ?? body, interceptedSink(ctx, sink), proxy).start();
  const fail = (error: unknown) => {
    sendEarly(ctx, refusalOf(error), sink, proxy);
    logUnexpected(error, ctx, proxy.deps.log);
  };
  if (ctx.pipeline.execute.length > 0 || bufferBytes !== undefined) {
    prepare(ctx, body, bufferBytes !== undefined, proxy)
      .then((stop) => (stop ? sendEarly(ctx, stop, sink, proxy) : start()))
      .catch(fail);
    return;
  }
  try {
    start();
  } catch (error) {
    fail(error);
  }
}

/** Through the steps that see the answer on its way. */
function interceptedSink(ctx: RequestContext, callers: Sink): Sink {
  let sink = callers;
  // For a caller who has gone nothing is begun.
  if (!sink.closed) for (const { policy } of ctx.pipeline.intercepts) sink = policy.intercept!(ctx, sink);
  return sink;
}

/** Reads the body where a step wants it whole, then runs the steps of this half. */
async function prepare(
  ctx: RequestContext,
  body: Readable | null,
  isBuffered: boolean,
  { deps }: ProxyDeps,
): Promise<EarlyResponse | undefined> {
  if (body && isBuffered) ctx.body = await collectBody(body);
  const result = await runSteps(ctx.pipeline.execute, ctx, deps);
  return result.kind === "stopped" ? result.stop : undefined;
}

/** The smallest bound of the steps that want this request's body whole; undefined where it streams. */
function bufferBytesFor(ctx: RequestContext): number | undefined {
  let { bufferRequestBytes: bound } = ctx.pipeline;
  for (const { policy } of ctx.pipeline.mayBufferRequest) {
    const { when, maxBytes = Number.POSITIVE_INFINITY } = policy.requestBody!;
    if (when!(ctx)) bound = Math.min(bound ?? Number.POSITIVE_INFINITY, maxBytes);
  }
  return bound;
}

function openBody(ctx: RequestContext, bufferBytes: number | undefined, { host, deps }: ProxyDeps): Readable | null {
  const { request, facts, pipeline } = ctx;
  if (!request.body) return null;
  const maxBytes = Math.min(pipeline.maxBodyBytes, bufferBytes ?? Number.POSITIVE_INFINITY);
  return new CountedBody(request.body, {
    maxBytes,
    statedBytes: host.trustsContentLength ? undefined : facts.contentLength,
    pace: pipeline.upstream?.timeouts.body,
    clock: deps.clock,
    onBytes: (bytes) => ctx.countReceived(bytes),
  });
}
