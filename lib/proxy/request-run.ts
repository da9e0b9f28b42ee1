/** The second half of one request: by way of the cache or straight to the backend, and what happens when that fails. */
import { Readable } from "node:stream";
import type { BackendTarget } from "../backends/backend.ts";
import { BACKEND_FAILURES, type Refusal, type RefusalCode, refuse } from "../contract/problem.ts";
import type { Sink } from "../contract/sink.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { writeEarly } from "../engine/send.ts";
import type { BackendHead } from "../http/sanitize-headers.ts";
import { sendAttempt } from "./backend-attempt.ts";
import { IDEMPOTENT } from "./idempotent.ts";
import { watchForMirror } from "./mirror.ts";
import { collectBody } from "./request-body.ts";
import { RetryLoop } from "./retry-loop.ts";
import type { Failure, FillHooks, NextAttempt, ProxyDeps, Replacement, Run } from "./run.ts";
import { logUnexpected, refusalOf } from "./unexpected-error.ts";
import { isUpgradeSink } from "./websocket/upgrade-sink.ts";

/** Servers and proxies answer so for a service that is away: for a route with a fallback, the backend has not answered. */
const FAILURES: ReadonlySet<number> = new Set([502, 503, 504]);

export class RequestRun implements Run {
  readonly ctx: RequestContext;
  readonly sink: Sink;
  readonly proxy: ProxyDeps;
  readonly fill: FillHooks | undefined;
  body: Readable | Uint8Array | null;
  #onClose: ((isComplete: boolean) => void) | undefined;
  #hasClosed = false;
  /** Undefined where the upstream is asked once, at its one target. */
  #retries: RetryLoop | undefined;

  constructor(ctx: RequestContext, body: Readable | Uint8Array | null, sink: Sink, proxy: ProxyDeps, fill?: FillHooks) {
    this.ctx = ctx;
    this.body = body;
    this.sink = sink;
    this.proxy = proxy;
    this.fill = fill;
    sink.onClose = (isComplete) => this.#close(isComplete);
  }

  set onClose(listener: ((isComplete: boolean) => void) | undefined) {
    this.#onClose = listener;
    if (this.#hasClosed && listener) queueMicrotask(() => listener(false));
  }

  /** Ends the attempt first, so that the record has its end. */
  #close(isComplete: boolean): void {
    this.#hasClosed = true;
    const listener = this.#onClose;
    this.#onClose = undefined;
    listener?.(isComplete);
    this.ctx.complete(isComplete);
  }

  start(): void {
    try {
      if (this.ctx.pipeline.cache && !isUpgradeSink(this.sink)) this.proxy.cache.serve(this);
      else this.forward();
    } catch (error) {
      this.crash(error);
    }
  }

  forward(): void {
    const { ctx, sink, proxy } = this;
    const { mirror } = ctx.pipeline;
    if (sink.closed) {
      ctx.complete(false);
      return;
    }
    try {
      if (mirror && !isUpgradeSink(sink)) this.body = watchForMirror(mirror, ctx, this.body, proxy);
      this.#ask();
    } catch (error) {
      this.crash(error);
    }
  }

  forFill(ctx: RequestContext, sink: Sink, fill: FillHooks): Run {
    return new RequestRun(ctx, null, sink, this.proxy, fill);
  }

  #ask(): void {
    const { upstream } = this.ctx;
    this.#retries = upstream && !upstream.isDirect ? new RetryLoop(this, upstream) : undefined;
    if (!upstream) this.refuse(refuse("no-backend-available", { headers: ["retry-after", "1"] }));
    else if (upstream.isDirect) sendAttempt(this, upstream.backend.targets[0]!, upstream.timeouts.totalMs, undefined);
    else this.#enterBulkhead(this.#retries!);
  }

  /** A request that waits for its place gives up waiting when its caller leaves. */
  #enterBulkhead(retries: RetryLoop): void {
    const { budget, bulkhead } = this.ctx.upstream!.backend;
    budget.count(this.proxy.deps.clock.now());
    if (!bulkhead) {
      this.#begin(retries);
      return;
    }
    const enter = () => {
      this.ctx.onRelease(() => bulkhead.leave());
      this.#begin(retries);
    };
    const overloaded = () => this.refuse(refuse("overloaded", { headers: ["retry-after", "1"], reason: "the bulkhead is full" }));
    const admitted = bulkhead.admit(enter, overloaded);
    if (admitted === true) enter();
    else if (admitted === false) overloaded();
    else this.onClose = admitted;
  }

  #begin(retries: RetryLoop): void {
    if (!retries.keepsBody) {
      this.#goTo(retries.firstTarget(), retries);
      return;
    }
    collectBody(this.body as Readable).then(
      (bytes) => {
        this.body = bytes;
        this.#goTo(retries.firstTarget(), retries);
      },
      (error: unknown) => this.crash(error),
    );
  }

  #goTo(target: BackendTarget | undefined, retries: RetryLoop): void {
    if (this.sink.closed) {
      this.ctx.complete(false);
      return;
    }
    if (!target) {
      this.refuse(retries.noTarget());
      return;
    }
    const watched = retries.begin(target);
    try {
      sendAttempt(this, target, retries.leftMs(), watched);
    } catch (error) {
      watched.end("ignored");
      this.crash(error);
    }
  }

  // The ladder of failures: another attempt at the backend → the fallback backend → the config's fixed answer → the problem.
  // The last two are one step here: `writeEarly` asks the steps with `onBackendFailure` before it renders a problem.

  insteadOf(status: number, head: BackendHead): Replacement | undefined {
    const next = this.#retries?.nextAttempt({ status, head });
    if (next || !FAILURES.has(status)) return next;
    const isReplaced = this.ctx.pipeline.onBackendFailure.length > 0 || this.#canFallBack(true);
    return isReplaced ? refuse("backend-unreachable", { reason: `it answered ${status}` }) : undefined;
  }

  replace(replacement: Replacement): void {
    if ("code" in replacement) this.refuse(replacement);
    else this.#schedule(replacement);
  }

  fail(failure: Failure): void {
    this.replace(this.#retries?.nextAttempt(failure) ?? failure.refusal);
  }

  refuse(refusal: Refusal): void {
    const { ctx, sink, proxy, fill } = this;
    if (fill) {
      // Each waiting caller goes on down the ladder in its own run.
      fill.fail(refusal);
      ctx.complete(false);
    } else if (this.#fallsBack(refusal.code)) {
      this.#fallBack(refusal.code);
    } else {
      this.#onClose = undefined;
      writeEarly(ctx, refusal, sink, proxy);
    }
  }

  crash(error: unknown): void {
    this.refuse(refusalOf(error));
    logUnexpected(error, this.ctx, this.proxy.deps.log);
  }

  #schedule({ target, waitMs }: NextAttempt): void {
    const timer = setTimeout(() => this.#goTo(target, this.#retries!), waitMs);
    this.onClose = () => clearTimeout(timer);
  }

  #fallsBack(code: RefusalCode): boolean {
    const { ctx, sink } = this;
    if (!BACKEND_FAILURES.has(code) || sink.closed || isUpgradeSink(sink)) return false;
    return this.#canFallBack(ctx.record.attempts.some((attempt) => attempt.wasSent));
  }

  /** After a request was sent, only an idempotent method may go to another backend. A body that was read can't be sent again. */
  #canFallBack(wasSent: boolean): boolean {
    const { ctx, body } = this;
    const { fallback } = ctx.pipeline;
    if (!fallback || ctx.upstream === fallback || (wasSent && !IDEMPOTENT.has(ctx.request.method))) return false;
    return !(body instanceof Readable && (body.readableDidRead || body.destroyed));
  }

  #fallBack(code: RefusalCode): void {
    const { ctx } = this;
    const fallback = ctx.pipeline.fallback!;
    ctx.record.steps.push({ policy: "fallback", verdict: "passed", code, reason: `goes to ${fallback.backend.name}`, ms: 0 });
    ctx.fallBackTo(fallback);
    try {
      this.#ask();
    } catch (error) {
      this.crash(error);
    }
  }
}
