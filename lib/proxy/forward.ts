/**
 * One attempt at a backend: undici's dispatcher on one side, the host's sink on the other, and nothing web-shaped between.
 * Before the first byte of the answer a failure is a problem; after it the connection is broken, never ended as if whole.
 */
import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { Result } from "../backends/resilience/circuit.ts";
import type { Clock } from "../contract/deps.ts";
import type { AttemptDraft } from "../contract/record.ts";
import type { Sink } from "../contract/sink.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { keepRequestChallenges } from "../http/connection-credential.ts";
import { isBodiless } from "../http/framing.ts";
import { writableReason } from "../http/reason-phrase.ts";
import { type BackendHead, readBackendHead } from "../http/sanitize-headers.ts";
import {
  asRefusal,
  CallerGone,
  describe,
  isTotal,
  MalformedAnswer,
  PolicyFault,
  resultOf,
  TimedOut,
  UnfitAnswer,
} from "./attempt-failure.ts";
import type { Decoder } from "./decode.ts";
import { type BodyOwner, ResponseBody } from "./response-body.ts";
import type { ShapedHead } from "./response-head.ts";
import type { Failure, Replacement } from "./run.ts";

/** Hears how an attempt goes, and decides what follows. */
export interface AttemptObserver {
  /** The head of an answer has come. Undefined: it is passed on. Otherwise the rest of it is dropped, and `replace` is called. */
  onResponse(status: number, head: BackendHead): Replacement | undefined;
  replace(replacement: Replacement): void;
  /** There will be no answer. Called at most once, only before a byte was sent. */
  onError(failure: Failure): void;
  /** Tells the target's state how the attempt ended. Only the first call counts. */
  onEnd(result: Result): void;
}

export interface Attempt extends AttemptObserver {
  readonly ctx: RequestContext;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly targetUrl: string;
  readonly body: Readable | Uint8Array | null;
  /** How long the backend may take from the request's last byte to its head, and not read in between; undefined: no bound. */
  readonly firstByteMs: number | undefined;
  /** How long it may be silent within its body. */
  readonly idleMs: number | undefined;
  readonly totalMs: number | undefined;
  /** Makes the head that the caller gets from the backend's: shaping, caching fields, request id. */
  head(status: number, backend: BackendHead, length: string | undefined): ShapedHead;
  /** For a host that can't pass encoded bytes on: undefined passes them as they are, "unknown" can't be made plain. */
  decode(contentEncoding: string | undefined): Decoder | undefined | "unknown";
  /** The connection has become a tunnel: the end of the sink ends nothing any more. */
  letGo(): void;
  /** A policy threw while it shaped the answer. */
  report(error: unknown): void;
}

/** What is read of an answer that is not passed on, so that its connection can be used again. */
const DROPPED_BYTES = 64 * 1024;
const DROPPED_MS = 1000;

/**
 * `waiting` until the caller gets a head, `streaming` until the end of its answer, `draining` while an answer that is not passed on is read,
 * `done` after each of them.
 */
type State = "waiting" | "streaming" | "draining" | "done";

export class ForwardHandler implements Dispatcher.DispatchHandler, BodyOwner {
  readonly #attempt: Attempt;
  readonly #startedMs: number;
  #state: State = "waiting";
  /** How much of the request has left. */
  #sent: "nothing" | "part" | "all" = "nothing";
  #controller: Dispatcher.DispatchController | undefined;
  #total: NodeJS.Timeout | undefined;
  /** For `firstByte` until the head has come, then for `idle`. undici's own timers are true to about a second. */
  #silence: NodeJS.Timeout | undefined;
  #drain: { readonly timer: NodeJS.Timeout | undefined; leftBytes: number } | undefined;
  #reply: { readonly status: number; readonly statusText: string; readonly backend: BackendHead } | undefined;
  #record: AttemptDraft | undefined;
  #body: ResponseBody | undefined;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
    this.#startedMs = attempt.clock.monotonic();
    const { totalMs } = attempt;
    if (totalMs !== undefined) this.#total = setTimeout(() => this.abort(new TimedOut("total")), totalMs);
  }

  /** Gives up: the caller has gone, time has run out, or the answer can't be passed on. */
  abort(reason: Error): void {
    if (this.#controller) this.#controller.abort(reason);
    else this.onResponseError(undefined, reason);
  }

  get isOver(): boolean {
    return this.#state === "draining" || this.#state === "done";
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#silence?.refresh();
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#sent = "part";
    if (this.isOver || this.#attempt.sink.closed) controller.abort(new CallerGone());
    else this.#limitSilence(this.#attempt.firstByteMs);
  }

  onBodySent(): void {
    this.#silence?.refresh();
  }

  onRequestSent(): void {
    this.#sent = "all";
  }

  #limitSilence(ms: number | undefined): void {
    clearTimeout(this.#silence);
    this.#silence = ms === undefined ? undefined : setTimeout(onSilence, ms, this);
  }

  /** The backend said nothing for as long as it may. */
  endSilence(): void {
    if (this.#isWaitingForCaller()) this.#silence?.refresh();
    else this.abort(new TimedOut(this.#reply ? "idle" : "firstByte"));
  }

  /** For more of its body, or to read more of the answer: then the backend is not to blame. */
  #isWaitingForCaller(): boolean {
    if (this.#body?.isBlocked) return true;
    const { body } = this.#attempt;
    // undici pauses a body that the backend does not read.
    return this.#sent !== "all" && body instanceof Readable && !body.isPaused();
  }

  /** The connection is a WebSocket's now. */
  release(): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#total);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _: unknown, statusText = ""): void {
    // 1xx answers are for the next hop only and several may come (RFC 9110 section 15.2).
    if (status < 200 || this.isOver) return;
    if (status > 599) {
      controller.abort(new MalformedAnswer(`the status ${status} means nothing (RFC 9110 section 15)`));
      return;
    }
    const { targetUrl, idleMs } = this.#attempt;
    this.#limitSilence(idleMs);
    const backend = readBackendHead(controller.rawHeaders as Uint8Array[]);
    // Slices of the first read: kept, they would hold its 64 KB for as long as the answer lasts.
    controller.rawHeaders = [];
    this.#reply = { status, statusText: writableReason(statusText), backend };
    const headMs = this.#elapsedMs();
    this.#writeDown({ target: targetUrl, status, wasSent: true, headMs, ms: headMs });
    const replacement = this.#attempt.onResponse(status, backend);
    if (replacement) {
      this.#startDrain(controller);
      this.#attempt.replace(replacement);
    } else if (status === 401 && !keepRequestChallenges(backend.pairs)) {
      controller.abort(new UnfitAnswer("it answered 401 and offers only NTLM or Negotiate", "connection-auth-unsupported"));
    } else {
      this.#passOn(controller, status, backend);
    }
  }

  #passOn(controller: Dispatcher.DispatchController, status: number, backend: BackendHead): void {
    const { ctx, sink } = this.#attempt;
    if (ctx.request.method === "HEAD" || isBodiless(status)) {
      // A 204 has no length, whatever the backend says (RFC 9110 section 8.6).
      this.sendHead(status === 204 ? undefined : backend.contentLength);
      return;
    }
    const decoder = this.#attempt.decode(backend.contentEncoding);
    if (decoder === "unknown") {
      controller.abort(new UnfitAnswer(`its Content-Encoding (${backend.contentEncoding}) can't be decoded here`));
      return;
    }
    this.#body = new ResponseBody(this, ctx, sink, decoder);
    this.#body.open(backend);
  }

  /** Reads an answer that is not passed on, so that its connection can be used again. */
  #startDrain(controller: Dispatcher.DispatchController): void {
    this.settle();
    this.#state = "draining";
    const giveUp = () => controller.abort(new Error("an answer that is not passed on takes too long"));
    this.#drain = { timer: setTimeout(giveUp, DROPPED_MS), leftBytes: DROPPED_BYTES };
  }

  #endDrain(): void {
    clearTimeout(this.#drain?.timer);
    this.#state = "done";
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // A parser that is resumed with nothing to read says so by an empty chunk. Passed on to a stream that is full, it would ask for
    // more, be resumed, say so again, and the process would do nothing else.
    if (chunk.length === 0) return;
    this.#silence?.refresh();
    if (this.isOver) {
      this.#countDrained(controller, chunk.length);
      return;
    }
    this.#body?.write(chunk);
    if (this.#body?.isBlocked) controller.pause();
  }

  #countDrained(controller: Dispatcher.DispatchController, bytes: number): void {
    this.#drain ??= { timer: undefined, leftBytes: DROPPED_BYTES };
    this.#drain.leftBytes -= bytes;
    if (this.#drain.leftBytes < 0) controller.abort(new Error("an answer that is not passed on is too long"));
  }

  onResponseEnd(): void {
    if (this.isOver) {
      this.#endDrain();
      return;
    }
    // For undici the request is over, and aborting it does nothing: what fails from here on ends the answer itself.
    this.#controller = undefined;
    if (this.#body) {
      this.#body.end();
      return;
    }
    this.settle();
    this.#attempt.sink.end();
  }

  onResponseError(_: unknown, error: Error): void {
    if (this.isOver) {
      this.#endDrain();
      return;
    }
    const hasHead = this.#state === "streaming";
    this.settle(error);
    const { sink } = this.#attempt;
    if (sink.closed) return;
    if (hasHead) {
      sink.destroy();
      return;
    }
    // The total bounds all attempts together; a timer may fire early, but no time is left for another attempt.
    // An answer that the route's steps can't take would be the same again.
    const isFinal = isTotal(error) || error instanceof UnfitAnswer;
    this.#attempt.onError({ refusal: asRefusal(error), wasSent: this.#sent !== "nothing", isFinal });
  }

  sendHead(length: string | undefined): void {
    const { status, statusText, backend } = this.#reply!;
    const { ctx, sink } = this.#attempt;
    const shaped = this.shape(() => this.#attempt.head(status, backend, length));
    ctx.setAnswer(shaped.status, "backend");
    // Throws for bytes that a field may not hold: undici then ends the attempt, and the caller gets a problem.
    sink.head(shaped.status, shaped.status === status ? statusText : "", shaped.pairs);
    // A cache that drops the answer has ended the attempt by now.
    if (this.#state === "waiting") this.#state = "streaming";
  }

  /** undici takes every error of its handler for a failure of the connection: a policy's gets a class of its own. */
  shape<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      this.#attempt.report(error);
      throw new PolicyFault(error);
    }
  }

  /** Ends the attempt, well where there is no error. */
  settle(error?: Error): void {
    const hasHead = this.#state === "streaming";
    this.#state = "done";
    this.#body?.destroy();
    this.release();
    // A kept controller holds the request after it alive, and that one the next: whole chains would live until a full collection.
    this.#controller = undefined;
    const ms = this.#elapsedMs();
    const words = error && describe(error);
    if (!this.#record) this.#writeDown({ target: this.#attempt.targetUrl, error: words, wasSent: this.#sent !== "nothing", ms });
    else {
      this.#record.ms = ms;
      if (words !== undefined) this.#record.error = words;
    }
    this.#attempt.onEnd(resultOf({ status: this.#reply?.status, error, hasHead }));
  }

  #elapsedMs(): number {
    return this.#attempt.clock.monotonic() - this.#startedMs;
  }

  #writeDown(attempt: AttemptDraft): void {
    this.#record = attempt;
    this.#attempt.ctx.record.attempts.push(attempt);
  }
}

function onSilence(handler: ForwardHandler): void {
  handler.endSilence();
}
