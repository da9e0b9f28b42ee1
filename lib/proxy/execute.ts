/** The second half of a request: what needs the body, the choice of a target, and the way there and back. */
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { Clock } from "../contract/deps.ts";
import { BACKEND_FAILURES, type Refusal, refuse } from "../contract/problem.ts";
import type { Sink } from "../contract/sink.ts";
import { BodyTaps } from "../engine/body-taps.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { DEFERRED, runSteps, type Stop } from "../engine/run-steps.ts";
import { sendStop } from "../engine/send.ts";
import { signsInConnection } from "../http/connection-credential.ts";
import type { BackendHead } from "../http/hygiene.ts";
import { privateHead, type ShapedHead, sharedHead } from "./answer-head.ts";
import { CallerGone } from "./attempt-failure.ts";
import { canFallBack } from "./can-fall-back.ts";
import type { ExecuteContext, Fetch } from "./context.ts";
import { type Decoder, decoderFor } from "./decode.ts";
import { refuseTo } from "./fetch.ts";
import { type Attempt, ForwardHandler, type Watch } from "./forward.ts";
import { watchForMirror } from "./mirror.ts";
import { makeOutgoing } from "./outgoing.ts";
import { BodyFault, CountedBody, collectBody, tappedBody } from "./request-body.ts";
import { type AttemptInput, RetryLoop } from "./retry-loop.ts";
import { offerDeflateAlone } from "./websocket/compression.ts";
import { UpgradeHandler } from "./websocket/upgrade-handler.ts";
import { isUpgradeSink } from "./websocket/upgrade-sink.ts";

/** What `createGateway` hands on, with what this half adds. */
export function executeContext(options: Omit<ExecuteContext, "crash" | "refuse">): ExecuteContext {
  const context: ExecuteContext = {
    ...options,
    refuse(refusal, ctx, sink) {
      if (!fallBack(refusal, ctx, sink, context)) sendStop(ctx, refusal, sink, context);
    },
    crash: (error, ctx, sink, fetch) => refuseTo(unexpected(error, ctx, context), ctx, sink, context, fetch),
  };
  return context;
}

export function execute(ctx: RequestContext, sink: Sink, context: ExecuteContext): void {
  const bufferBytes = bufferBytesFor(ctx);
  const body = openBody(ctx, bufferBytes, context);
  const fail = (error: unknown) => context.crash(error, ctx, sink);
  if (ctx.pipeline.execute.length > 0 || bufferBytes !== undefined) {
    prepare(ctx, body, bufferBytes !== undefined, context)
      .then((stop) => (stop ? sendStop(ctx, stop, sink, context) : ask(ctx, ctx.body ?? body, sink, context)))
      .catch(fail);
    return;
  }
  try {
    ask(ctx, body, sink, context);
  } catch (error) {
    fail(error);
  }
}

/** By way of the cache, where the route has one. */
function ask(ctx: RequestContext, body: Readable | Uint8Array | null, callers: Sink, context: ExecuteContext): void {
  let sink = callers;
  // For a caller who has gone nothing is begun.
  if (!sink.closed) for (const { policy } of ctx.pipeline.intercepts) sink = policy.intercept!(ctx, sink);
  if (ctx.pipeline.cache && !isUpgradeSink(sink)) context.cache.serve(ctx, body, sink, context, forward);
  else forward(ctx, body, sink, context);
}

/** Reads the body where a step wants it whole, then runs the steps of this half. */
async function prepare(
  ctx: RequestContext,
  body: Readable | null,
  isBuffered: boolean,
  { deps }: ExecuteContext,
): Promise<Stop | undefined> {
  if (body && isBuffered) ctx.body = await collectBody(body);
  const stop = await runSteps(ctx.pipeline.execute, ctx, deps);
  return stop === DEFERRED ? undefined : stop;
}

function unexpected(error: unknown, ctx: RequestContext, { deps }: ExecuteContext): Refusal {
  if (error instanceof BodyFault) return refuse(error.code, { detail: error.message });
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  deps.log.error("the gateway failed", { requestId: ctx.requestId, route: ctx.route.id, error: text });
  return refuse("internal", { reason: String(error) });
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

function openBody(ctx: RequestContext, bufferBytes: number | undefined, { host, deps }: ExecuteContext): Readable | null {
  const { request, facts, pipeline } = ctx;
  if (!request.body) return null;
  const maxBytes = Math.min(pipeline.maxBodyBytes, bufferBytes ?? Number.POSITIVE_INFINITY);
  return new CountedBody(request.body, {
    maxBytes,
    statedBytes: host.trustsContentLength ? undefined : facts.contentLength,
    pace: pipeline.upstream?.timeouts.body,
    clock: deps.clock,
    onBytes: (bytes) => {
      ctx.bytesIn += bytes;
    },
  });
}

function forward(
  ctx: RequestContext,
  given: Readable | Uint8Array | null,
  sink: Sink,
  context: ExecuteContext,
  fetch?: Fetch,
): void {
  const { upstream } = ctx;
  const { mirror, fallback } = ctx.pipeline;
  if (sink.closed) {
    ctx.complete(false);
    return;
  }
  const body = mirror && upstream !== fallback && !isUpgradeSink(sink) ? watchForMirror(mirror, ctx, given, context) : given;
  if (fallback) ctx.requestBody = body;
  if (!upstream) {
    refuseTo(refuse("no-backend-available", { headers: ["retry-after", "1"] }), ctx, sink, context, fetch);
  } else if (upstream.isDirect) {
    const { backend, timeouts } = upstream;
    sendTo(ctx, sink, { target: backend.targets[0]!, body, totalMs: timeouts.totalMs, watch: undefined, fetch }, context);
  } else {
    new RetryLoop(ctx, body, sink, context, fetch, sendTo).start();
  }
}

/** False where there is no other backend for it. */
function fallBack({ code }: Refusal, ctx: RequestContext, sink: Sink, context: ExecuteContext): boolean {
  const { pipeline, record } = ctx;
  const wasSent = record.attempts.some((attempt) => attempt.wasSent);
  if (!BACKEND_FAILURES.has(code) || sink.closed || isUpgradeSink(sink) || !canFallBack(ctx, wasSent)) return false;
  record.steps.push({
    policy: "fallback",
    verdict: "passed",
    code,
    reason: `goes to ${pipeline.fallback!.backend.name}`,
    ms: 0,
  });
  ctx.upstream = pipeline.fallback;
  // The targets that were chosen are those of the other backend, and so is the place in its bulkhead.
  ctx.pool = undefined;
  ctx.release();
  try {
    forward(ctx, ctx.requestBody, sink, context);
  } catch (error) {
    context.crash(error, ctx, sink);
  }
  return true;
}

function sendTo(ctx: RequestContext, sink: Sink, sending: AttemptInput, context: ExecuteContext): void {
  const { target, body, watch, fetch } = sending;
  const { pipeline } = ctx;
  const { deps, host } = context;
  const { timeouts } = ctx.upstream!;
  const acceptEncoding = host.passesContentEncoding ? undefined : "identity";
  const outgoing = makeOutgoing(ctx, pipeline, target, context.via, acceptEncoding);
  if (!outgoing) {
    watch?.ended("neither");
    refuseTo(refuse("bad-request", { detail: "A value in the request would change the path." }), ctx, sink, context, fetch);
    return;
  }
  if (signsInConnection(outgoing.headers.pairs)) {
    watch?.ended("neither");
    const reason = "the request's Authorization would sign in a connection that callers share";
    refuseTo(refuse("connection-auth-unsupported", { reason }), ctx, sink, context, fetch);
    return;
  }
  fetch?.shape(outgoing);
  const upgrading = isUpgradeSink(sink) ? sink : undefined;
  if (upgrading) offerDeflateAlone(outgoing.headers);
  const attempt = new BackendAttempt(ctx, sink, sending, context);
  const handler = new ForwardHandler(attempt);
  sink.onClose = (complete) => {
    if (!complete) handler.abort(new CallerGone());
    ctx.complete(complete);
  };
  const taps = pipeline.requestBody.length > 0 ? new BodyTaps(pipeline.requestBody, "requestBody", ctx) : undefined;
  context.pools.poolFor(target.origin, timeouts.connectMs, deps.clock.now()).dispatch(
    {
      path: outgoing.target,
      method: outgoing.method as "GET",
      headers: outgoing.headers.pairs,
      body: body && taps ? (tappedBody(chunksOf(body), taps) as unknown as Readable) : body,
      // Without it undici gives up the connection after every HEAD.
      reset: false,
      upgrade: upgrading ? "websocket" : null,
      // Otherwise undici takes it from Host, and gives up the connection for each caller who sends another one.
      servername: target.serverName,
    } as Dispatcher.DispatchOptions,
    upgrading ? new UpgradeHandler(attempt, upgrading, (complete) => ctx.complete(complete), handler, sending.totalMs) : handler,
  );
}

const NO_NAMES: readonly string[] = [];
/** Methods that ask for no change (RFC 9110 section 9.2.1); one that is not known may have made one. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** What a forward asks of its surroundings. */
class BackendAttempt implements Attempt {
  readonly ctx: RequestContext;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly targetUrl: string;
  readonly firstByteMs: number | undefined;
  readonly idleMs: number | undefined;
  readonly totalMs: number | undefined;
  readonly #sending: AttemptInput;
  readonly #context: ExecuteContext;

  constructor(ctx: RequestContext, sink: Sink, sending: AttemptInput, context: ExecuteContext) {
    this.ctx = ctx;
    this.sink = sink;
    this.clock = context.deps.clock;
    this.targetUrl = sending.target.url;
    const { firstByteMs, idleMs } = ctx.upstream!.timeouts;
    const silenceMs = sending.fetch?.silenceMs;
    this.firstByteMs = firstByteMs ?? silenceMs;
    this.idleMs = idleMs ?? silenceMs;
    // For a WebSocket it bounds the conversation; the handshake is bounded by the other times.
    this.totalMs = isUpgradeSink(sink) ? undefined : sending.totalMs;
    this.#sending = sending;
    this.#context = context;
  }

  get body(): Readable | Uint8Array | null {
    return this.#sending.body;
  }

  get watch(): Watch | undefined {
    return this.#sending.watch;
  }

  head(status: number, backend: BackendHead, length: string | undefined): ShapedHead {
    const { ctx } = this;
    const { target, fetch } = this.#sending;
    const names = fetch ? backend.pairs.filter((_, index) => index % 2 === 0) : NO_NAMES;
    const shared = sharedHead(ctx, status, backend, length, this.#context.host, ctx.upstream!.reverseRewrite.get(target));
    if (status < 400 && !SAFE.has(ctx.request.method)) this.#invalidate(shared.pairs);
    if (!fetch) return privateHead(ctx, shared);
    fetch.receive(shared, backend, names);
    return shared;
  }

  decode(contentEncoding: string | undefined): Decoder | undefined | "unknown" {
    return this.#context.host.passesContentEncoding ? undefined : decoderFor(contentEncoding);
  }

  fail(refusal: Refusal): void {
    const { ctx, sink } = this;
    try {
      refuseTo(refusal, ctx, sink, this.#context, this.#sending.fetch);
    } catch (error) {
      // undici would take it for a failure of the connection, and the request would have no end.
      this.#context.crash(error, ctx, sink, this.#sending.fetch);
    }
  }

  #invalidate(pairs: readonly string[]): void {
    const { cache, deps, isCached } = this.#context;
    if (isCached(this.ctx.target)) deps.defer(Promise.resolve(cache.invalidate(this.ctx, pairs)));
  }

  report(error: unknown): void {
    unexpected(error, this.ctx, this.#context);
  }
}

async function* chunksOf(body: Readable | Uint8Array): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body;
  else yield* body as AsyncIterable<Uint8Array>;
}
