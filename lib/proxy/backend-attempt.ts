/** Sends a request to a target of its backend: what it gets to see, the dispatch, and what the forward asks of its surroundings. */
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { BackendTarget } from "../backends/backend.ts";
import type { Result } from "../backends/resilience/circuit.ts";
import type { Clock } from "../contract/deps.ts";
import type { Outgoing } from "../contract/exchange.ts";
import { refuse } from "../contract/problem.ts";
import type { Sink } from "../contract/sink.ts";
import { BodyTaps } from "../engine/body-taps.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { signsInConnection } from "../http/connection-credential.ts";
import type { BackendHead } from "../http/sanitize-headers.ts";
import { CallerGone } from "./attempt-failure.ts";
import { type Decoder, decoderFor } from "./decode.ts";
import { type Attempt, ForwardHandler } from "./forward.ts";
import { makeOutgoing } from "./outgoing.ts";
import { tappedBody } from "./request-body.ts";
import { privateHead, type ShapedHead, sharedHead } from "./response-head.ts";
import type { Failure, Replacement, Run } from "./run.ts";
import type { TargetAttempt } from "./target-attempt.ts";
import { logUnexpected } from "./unexpected-error.ts";
import { offerDeflateAlone } from "./websocket/compression.ts";
import { UpgradeHandler } from "./websocket/upgrade-handler.ts";
import { isUpgradeSink } from "./websocket/upgrade-sink.ts";

/** Throws where a policy does. */
export function sendAttempt(
  run: Run,
  target: BackendTarget,
  totalMs: number | undefined,
  watched: TargetAttempt | undefined,
): void {
  const { ctx, sink, fill } = run;
  const { deps, host, via, pools } = run.proxy;
  const acceptEncoding = host.passesContentEncoding ? undefined : "identity";
  const outgoing = makeOutgoing(ctx, ctx.pipeline, target, via, acceptEncoding);
  if (!outgoing) {
    watched?.end("ignored");
    run.refuse(refuse("bad-request", { detail: "A value in the request would change the path." }));
    return;
  }
  if (signsInConnection(outgoing.headers.pairs)) {
    watched?.end("ignored");
    const reason = "the request's Authorization would sign in a connection that callers share";
    run.refuse(refuse("connection-auth-unsupported", { reason }));
    return;
  }
  fill?.shape(outgoing);
  const upgrading = isUpgradeSink(sink) ? sink : undefined;
  if (upgrading) offerDeflateAlone(outgoing.headers);
  const attempt = new BackendAttempt(run, target, totalMs, watched);
  const handler = new ForwardHandler(attempt);
  run.onClose = (isComplete) => {
    if (!isComplete) handler.abort(new CallerGone());
  };
  pools
    .poolFor(target.origin, ctx.upstream!.timeouts.connectMs, deps.clock.now())
    .dispatch(
      dispatchOptions(run, outgoing, target, upgrading !== undefined),
      upgrading ? new UpgradeHandler(attempt, upgrading, handler, totalMs) : handler,
    );
}

function dispatchOptions(
  { ctx, body }: Run,
  { target, method, headers }: Outgoing,
  { serverName }: BackendTarget,
  isUpgrade: boolean,
): Dispatcher.DispatchOptions {
  const { requestBody } = ctx.pipeline;
  const taps = requestBody.length > 0 ? new BodyTaps(requestBody, "requestBody", ctx) : undefined;
  return {
    path: target,
    method: method as "GET",
    headers: headers.pairs,
    body: body && taps ? (tappedBody(chunksOf(body), taps) as unknown as Readable) : body,
    // Without it undici gives up the connection after every HEAD.
    reset: false,
    upgrade: isUpgrade ? "websocket" : null,
    // Otherwise undici takes it from Host, and gives up the connection for each caller who sends another one.
    servername: serverName,
  } as Dispatcher.DispatchOptions;
}

async function* chunksOf(body: Readable | Uint8Array): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body;
  else yield* body as AsyncIterable<Uint8Array>;
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
  readonly body: Readable | Uint8Array | null;
  readonly firstByteMs: number | undefined;
  readonly idleMs: number | undefined;
  readonly totalMs: number | undefined;
  readonly #run: Run;
  readonly #target: BackendTarget;
  readonly #watched: TargetAttempt | undefined;

  constructor(run: Run, target: BackendTarget, totalMs: number | undefined, watched: TargetAttempt | undefined) {
    this.ctx = run.ctx;
    this.sink = run.sink;
    this.clock = run.proxy.deps.clock;
    this.targetUrl = target.url;
    this.body = run.body;
    const { firstByteMs, idleMs } = run.ctx.upstream!.timeouts;
    const silenceMs = run.fill?.silenceMs;
    this.firstByteMs = firstByteMs ?? silenceMs;
    this.idleMs = idleMs ?? silenceMs;
    // For a WebSocket it bounds the conversation; the handshake is bounded by the other times.
    this.totalMs = isUpgradeSink(run.sink) ? undefined : totalMs;
    this.#run = run;
    this.#target = target;
    this.#watched = watched;
  }

  onResponse(status: number, head: BackendHead): Replacement | undefined {
    this.#watched?.onHead(status);
    return this.#run.insteadOf(status, head);
  }

  replace(replacement: Replacement): void {
    this.#guarded(() => this.#run.replace(replacement));
  }

  onError(failure: Failure): void {
    this.#guarded(() => this.#run.fail(failure));
  }

  onEnd(result: Result): void {
    this.#watched?.end(result);
  }

  /** undici would take what is thrown for a failure of the connection, and the request would have no end. */
  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#run.crash(error);
    }
  }

  head(status: number, backend: BackendHead, length: string | undefined): ShapedHead {
    const { ctx, fill, proxy } = this.#run;
    const names = fill ? backend.pairs.filter((_, index) => index % 2 === 0) : NO_NAMES;
    const shared = sharedHead(ctx, status, backend, length, proxy.host, ctx.upstream!.reverseRewrite.get(this.#target));
    if (status < 400 && !SAFE.has(ctx.request.method)) this.#invalidate(shared.pairs);
    if (!fill) return privateHead(ctx, shared);
    fill.receive(shared, backend, names);
    return shared;
  }

  decode(contentEncoding: string | undefined): Decoder | undefined | "unknown" {
    return this.#run.proxy.host.passesContentEncoding ? undefined : decoderFor(contentEncoding);
  }

  letGo(): void {
    this.#run.onClose = undefined;
  }

  report(error: unknown): void {
    logUnexpected(error, this.ctx, this.#run.proxy.deps.log);
  }

  #invalidate(pairs: readonly string[]): void {
    const { cache, deps, isCached } = this.#run.proxy;
    if (isCached(this.ctx.target)) deps.defer(Promise.resolve(cache.invalidate(this.ctx, pairs)));
  }
}
