/**
 * Which target a request is sent to next, whether at all, and after how long: for a backend that has several targets, or may be asked
 * again. It decides alone; the run acts.
 */
import { Readable } from "node:stream";
import type { Backend, BackendTarget } from "../backends/backend.ts";
import type { CompiledRetry } from "../contract/compiled/resilience.ts";
import type { Clock } from "../contract/deps.ts";
import { BACKEND_FAILURES, problemOf, type Refusal, refuse } from "../contract/problem.ts";
import type { Upstream } from "../engine/pipeline.ts";
import { HeaderList } from "../http/header-list.ts";
import type { BackendHead } from "../http/sanitize-headers.ts";
import { IDEMPOTENT } from "./idempotent.ts";
import type { Failure, NextAttempt, Run } from "./run.ts";
import { TargetAttempt } from "./target-attempt.ts";

/** Why another attempt is thought of: an answer, or none. */
export type RetryReason = { readonly status: number; readonly head: BackendHead } | Failure;

/** A body of at most so many stated bytes is kept, so that it can be sent again; a longer one streams, and is sent once. */
const REPLAY_BYTES = 64 * 1024;
/** The wait before the first retry is drawn up to this, and up to twice as much before each one after it. */
const FIRST_BACKOFF_MS = 25;
const MAX_BACKOFF_MS = 250;
/** A target that asks for a longer rest is not asked again for this request. */
const MAX_RETRY_AFTER_MS = 1000;

export class RetryLoop {
  readonly #run: Run;
  readonly #upstream: Upstream;
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #tried: BackendTarget[] = [];

  constructor(run: Run, upstream: Upstream) {
    this.#run = run;
    this.#upstream = upstream;
    this.#clock = run.proxy.deps.clock;
    this.#startedMs = this.#clock.monotonic();
  }

  /** Whether the body is read before the first attempt, so that it can be sent again. */
  get keepsBody(): boolean {
    const { body, ctx } = this.#run;
    const statedBytes = ctx.facts.contentLength ?? Number.POSITIVE_INFINITY;
    return body instanceof Readable && this.#upstream.retry !== undefined && statedBytes <= REPLAY_BYTES && this.#isRepeatable();
  }

  firstTarget(): BackendTarget | undefined {
    return this.#backend.pick(this.#run.ctx);
  }

  /** Counts the attempt among those of this request and of the target. */
  begin(target: BackendTarget): TargetAttempt {
    this.#tried.push(target);
    return new TargetAttempt(this.#backend, target, this.#clock);
  }

  /** Undefined where there is none. Otherwise the budget has one retry less. */
  nextAttempt(reason: RetryReason): NextAttempt | undefined {
    const { retry } = this.#upstream;
    if (!retry || !isMeant(retry, reason)) return undefined;
    const { ctx, sink, body } = this.#run;
    if (this.#tried.length >= retry.attempts || sink.closed) return undefined;
    const wasSent = "status" in reason || reason.wasSent;
    // A body that was partly read is gone, and one that was partly sent may have been carried out.
    if (wasSent && (body instanceof Readable || !this.#isRepeatable())) return undefined;
    const target = this.#backend.pick(ctx, this.#tried);
    if (!target) return undefined;
    const waitMs = this.#waitMs(target, reason);
    const leftMs = this.leftMs();
    if (waitMs > MAX_RETRY_AFTER_MS || (leftMs !== undefined && waitMs >= leftMs)) return undefined;
    return this.#backend.budget.take(retry.budget, this.#clock.now()) ? { target, waitMs } : undefined;
  }

  /** What is left of the time for all attempts together. */
  leftMs(): number | undefined {
    const { totalMs } = this.#upstream.timeouts;
    return totalMs === undefined ? undefined : totalMs - (this.#clock.monotonic() - this.#startedMs);
  }

  /** No target can take the request. */
  noTarget(): Refusal {
    const fitting = this.#backend.fitting(this.#run.ctx);
    const reason = fitting.map(({ url, state }) => `${url}: ${state.downBecause ?? state.circuit.reason}`).join("; ");
    return refuse("no-backend-available", {
      headers: ["retry-after", String(this.#backend.retryAfterSeconds(fitting))],
      reason,
    });
  }

  get #backend(): Backend {
    return this.#upstream.backend;
  }

  #waitMs(target: BackendTarget, reason: RetryReason): number {
    const retries = this.#tried.length - 1;
    const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** retries, MAX_BACKOFF_MS) * this.#backend.random();
    // It speaks for the target that said it (RFC 9110 section 10.2.3): another one may be asked.
    if (!("status" in reason) || !this.#tried.includes(target)) return backoffMs;
    return Math.max(backoffMs, retryAfterMs(new HeaderList(reason.head.pairs).get("retry-after"), this.#clock.now()));
  }

  #isRepeatable(): boolean {
    const { request, facts } = this.#run.ctx;
    if (IDEMPOTENT.has(request.method)) return true;
    return this.#backend.compiled.resilience?.idempotencyKeys === true && facts.headers.has("idempotency-key");
  }
}

/** Whether the route's `retry` names what has happened. */
function isMeant({ statuses, connect }: CompiledRetry, reason: RetryReason): boolean {
  if ("status" in reason) return statuses.includes(reason.status);
  const { code } = reason.refusal;
  if (reason.isFinal || !BACKEND_FAILURES.has(code)) return false;
  return reason.wasSent ? statuses.includes(problemOf({ code }).status) : connect;
}

/** Seconds or a date (RFC 9110 section 10.2.3); one that can't be read asks for nothing. */
function retryAfterMs(value: string | undefined, nowMs: number): number {
  if (value === undefined) return 0;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return ms > 0 ? ms : 0;
}
