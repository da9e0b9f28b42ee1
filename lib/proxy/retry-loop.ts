/**
 * A request to a backend that has several targets, or may be asked again: which target, how often, after how long. A route with one
 * target and none of this does not come here.
 */
import { Readable } from "node:stream";
import type { Backend, BackendTarget } from "../backends/backend.ts";
import type { Result } from "../backends/resilience/circuit.ts";
import type { Clock } from "../contract/deps.ts";
import { BACKEND_FAILURES, PROBLEMS, type Refusal, refuse } from "../contract/problem.ts";
import type { Sink } from "../contract/sink.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { HeaderList } from "../http/header-list.ts";
import type { BackendHead } from "../http/hygiene.ts";
import type { ExecuteContext, Fetch } from "./context.ts";
import { refuseTo } from "./fetch.ts";
import type { Watch } from "./forward.ts";
import { IDEMPOTENT } from "./idempotent.ts";
import { collectBody } from "./request-body.ts";

export interface AttemptInput {
  readonly target: BackendTarget;
  readonly body: Readable | Uint8Array | null;
  readonly totalMs: number | undefined;
  readonly watch: Watch | undefined;
  /** Set where a cache asks. */
  readonly fetch: Fetch | undefined;
}

/** Sends the request to a target; throws where it can't be sent at all. */
export type Send = (ctx: RequestContext, sink: Sink, sending: AttemptInput, context: ExecuteContext) => void;

/** A body of at most so many stated bytes is kept, so that it can be sent again; a longer one streams, and is sent once. */
const REPLAY_BYTES = 64 * 1024;
/** The wait before the first retry is drawn up to this, and up to twice as much before each one after it. */
const FIRST_BACKOFF_MS = 25;
const MAX_BACKOFF_MS = 250;
/** A target that asks for a longer rest is not asked again for this request. */
const MAX_RETRY_AFTER_MS = 1000;

export class RetryLoop {
  readonly backend: Backend;
  readonly #ctx: RequestContext;
  readonly #sink: Sink;
  readonly #context: ExecuteContext;
  readonly #fetch: Fetch | undefined;
  readonly #send: Send;
  readonly #startedMs: number;
  readonly #tried: BackendTarget[] = [];
  #body: Readable | Uint8Array | null;

  constructor(
    ctx: RequestContext,
    body: Readable | Uint8Array | null,
    sink: Sink,
    context: ExecuteContext,
    fetch: Fetch | undefined,
    send: Send,
  ) {
    this.backend = ctx.upstream!.backend;
    this.#ctx = ctx;
    this.#body = body;
    this.#sink = sink;
    this.#context = context;
    this.#fetch = fetch;
    this.#send = send;
    this.#startedMs = context.deps.clock.monotonic();
  }

  get clock(): Clock {
    return this.#context.deps.clock;
  }

  start(): void {
    const { budget, bulkhead } = this.backend;
    budget.count(this.clock.now());
    if (!bulkhead) {
      this.#begin();
      return;
    }
    const enter = () => {
      this.#ctx.onRelease(() => bulkhead.leave());
      this.#begin();
    };
    const overloaded = () => this.#stop(refuse("overloaded", { headers: ["retry-after", "1"], reason: "the bulkhead is full" }));
    const admitted = bulkhead.admit(enter, overloaded);
    if (admitted === true) enter();
    else if (admitted === false) overloaded();
    else {
      this.#sink.onClose = (complete) => {
        admitted();
        this.#ctx.complete(complete);
      };
    }
  }

  #begin(): void {
    const body = this.#body;
    const { retry } = this.#ctx.upstream!;
    const statedBytes = this.#ctx.facts.contentLength ?? Number.POSITIVE_INFINITY;
    if (body instanceof Readable && retry && statedBytes <= REPLAY_BYTES && this.#isRepeatable()) {
      collectBody(body).then(
        (bytes) => {
          this.#body = bytes;
          this.#ctx.requestBody = bytes;
          this.#goTo(this.backend.pick(this.#ctx));
        },
        (error: unknown) => this.#crash(error),
      );
    } else this.#goTo(this.backend.pick(this.#ctx));
  }

  #goTo(target: BackendTarget | undefined): void {
    if (this.#sink.closed) {
      this.#ctx.complete(false);
      return;
    }
    if (!target) {
      const fitting = this.backend.fitting(this.#ctx);
      const reason = fitting.map(({ url, state }) => `${url}: ${state.downBecause ?? state.circuit.reason}`).join("; ");
      const headers = ["retry-after", String(this.backend.retryAfterSeconds(fitting))];
      this.#stop(refuse("no-backend-available", { headers, reason }));
      return;
    }
    this.#tried.push(target);
    const watch = new TargetAttempt(this, target);
    try {
      const sending = { target, body: this.#body, totalMs: this.#leftMs(), watch, fetch: this.#fetch };
      this.#send(this.#ctx, this.#sink, sending, this.#context);
    } catch (error) {
      watch.ended("neither");
      this.#crash(error);
    }
  }

  #stop(refusal: Refusal): void {
    refuseTo(refusal, this.#ctx, this.#sink, this.#context, this.#fetch);
  }

  #crash(error: unknown): void {
    this.#context.crash(error, this.#ctx, this.#sink, this.#fetch);
  }

  /** Whether another attempt takes the place of an answer with this status. */
  repeatsAnswer(status: number, { pairs }: BackendHead): boolean {
    const { retry } = this.#ctx.upstream!;
    if (!retry?.statuses.includes(status)) return false;
    return this.#again(true, retryAfterMs(new HeaderList(pairs).get("retry-after"), this.clock.now()));
  }

  /** Whether another attempt takes the place of none, or of one that broke off before its head. */
  repeatsFailure({ code }: Refusal, wasSent: boolean): boolean {
    const { retry } = this.#ctx.upstream!;
    if (!retry || !BACKEND_FAILURES.has(code)) return false;
    return (wasSent ? retry.statuses.includes(PROBLEMS[code].status) : retry.connect) && this.#again(wasSent, 0);
  }

  #again(wasSent: boolean, restMs: number): boolean {
    const { backend, timeouts, retry } = this.#ctx.upstream!;
    if (this.#tried.length >= retry!.attempts || this.#sink.closed) return false;
    // A body that was partly read is gone, and one that was partly sent may have been carried out.
    if (wasSent && (this.#body instanceof Readable || !this.#isRepeatable())) return false;
    const target = backend.pick(this.#ctx, this.#tried);
    if (!target) return false;
    const backoffMs = Math.min(FIRST_BACKOFF_MS * 2 ** (this.#tried.length - 1), MAX_BACKOFF_MS) * backend.dice();
    // It speaks for the target that said it (RFC 9110 section 10.2.3): another one may be asked.
    const waitMs = this.#tried.includes(target) ? Math.max(backoffMs, restMs) : backoffMs;
    if (waitMs > MAX_RETRY_AFTER_MS || (timeouts.totalMs !== undefined && waitMs >= this.#leftMs()!)) return false;
    if (!backend.budget.take(retry!.budget, this.clock.now())) return false;
    const timer = setTimeout(() => this.#goTo(target), waitMs);
    this.#sink.onClose = (complete) => {
      clearTimeout(timer);
      this.#ctx.complete(complete);
    };
    return true;
  }

  #isRepeatable(): boolean {
    const { request, facts } = this.#ctx;
    if (IDEMPOTENT.has(request.method)) return true;
    return this.backend.compiled.resilience?.idempotencyKeys === true && facts.headers.has("idempotency-key");
  }

  /** What is left of the time for all attempts together. */
  #leftMs(): number | undefined {
    const { totalMs } = this.#ctx.upstream!.timeouts;
    if (totalMs === undefined) return undefined;
    return totalMs - (this.clock.monotonic() - this.#startedMs);
  }
}

/** One attempt, seen from the target's side: what it means for its state. */
class TargetAttempt implements Watch {
  readonly #attempts: RetryLoop;
  readonly #target: BackendTarget;
  readonly #isTrial: boolean;
  readonly #clock: Clock;
  readonly #startedMs: number;
  #headMs: number | undefined;
  #hasEnded = false;

  constructor(attempts: RetryLoop, target: BackendTarget) {
    this.#attempts = attempts;
    this.#target = target;
    this.#clock = attempts.clock;
    this.#isTrial = attempts.backend.begin(target);
    this.#startedMs = this.#clock.monotonic();
  }

  replaces(status: number, head: BackendHead): boolean {
    this.#headMs = this.#clock.monotonic() - this.#startedMs;
    if (this.#isTrial && status < 500) this.#target.state.circuit.headOfTrial(this.#clock.now());
    return this.#attempts.repeatsAnswer(status, head);
  }

  repeats(refusal: Refusal, wasSent: boolean): boolean {
    return this.#attempts.repeatsFailure(refusal, wasSent);
  }

  ended(result: Result): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#attempts.backend.end(this.#target, result, this.#isTrial, this.#headMs);
  }
}

/** Seconds or a date (RFC 9110 section 10.2.3); one that can't be read asks for nothing. */
function retryAfterMs(value: string | undefined, nowMs: number): number {
  if (value === undefined) return 0;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return ms > 0 ? ms : 0;
}
