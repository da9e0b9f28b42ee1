/**
 * One attempt at a backend: undici's dispatcher on one side, the host's sink on the other, and nothing web-shaped between.
 * Before the first byte of the answer a failure is a problem; after it the connection is broken, never ended as if whole.
 */
import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { Result } from "../backends/resilience/circuit.ts";
import type { Clock } from "../contract/deps.ts";
import { refuse } from "../contract/problem.ts";
import type { AttemptDraft } from "../contract/record.ts";
import type { Sink } from "../contract/sink.ts";
import { BodyTaps, replacesBytes } from "../engine/body-taps.ts";
import type { RequestContext } from "../engine/request-context.ts";
import { keepRequestChallenges } from "../http/connection-credential.ts";
import { isBodiless } from "../http/framing.ts";
import { type BackendHead, readBackendHead } from "../http/hygiene.ts";
import { writableReason } from "../http/reason-phrase.ts";
import type { ShapedHead } from "./answer-head.ts";
import { asRefusal, CallerGone, describe, isTotal, MalformedAnswer, resultOf, TimedOut, UnfitAnswer } from "./attempt-failure.ts";
import type { Decoder } from "./decode.ts";
import { Heartbeat, isEventStream } from "./heartbeat.ts";
import type { Failure, Replacement } from "./run.ts";

/** Hears how an attempt goes, and decides what follows. */
export interface AttemptObserver {
  /** The head of an answer has come. Undefined: it is passed on. Otherwise the rest of it is dropped, and `replace` is called. */
  onResponse(status: number, head: BackendHead): Replacement | undefined;
  replace(replacement: Replacement): void;
  /** There will be no answer. Called at most once, only before a byte was sent. */
  onError(failure: Failure): void;
  /** What the attempt says of its target. It may go on being called: the first time counts. */
  onEnd(result: Result): void;
}

export interface Attempt extends AttemptObserver {
  readonly ctx: RequestContext;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly targetUrl: string;
  readonly body: Readable | Uint8Array | null;
  /** How long the backend may take from the request's last byte to its head, and not read in between; null: no bound. */
  readonly firstByteMs: number | null;
  /** How long it may be silent within its body. */
  readonly idleMs: number | null;
  readonly totalMs: number | null;
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

export class ForwardHandler implements Dispatcher.DispatchHandler {
  readonly #attempt: Attempt;
  readonly #startedMs: number;
  #controller: Dispatcher.DispatchController | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** For `firstByte` until the head has come, then for `idle`. undici's own timers are true to about a second. */
  #silence: NodeJS.Timeout | undefined;
  #isSettled = false;
  #hasHead = false;
  #isHeadPending = false;
  /** Bytes of the stated length that have not come yet; undefined where no length was stated. */
  #left: number | undefined;
  #taps: BodyTaps | undefined;
  #decoder: Decoder | undefined;
  #heartbeat: Heartbeat | undefined;
  #buffered: Uint8Array[] | undefined;
  #bufferedBytes = 0;
  #needsDrain = false;
  #isDecoderFull = false;
  #hasBug = false;
  #wasSent = false;
  #isRequestSent = false;
  #droppedLeft = DROPPED_BYTES;
  #reply: { status: number; statusText: string; backend: BackendHead } | undefined;
  #record: AttemptDraft | undefined;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
    this.#startedMs = attempt.clock.monotonic();
    const { sink, totalMs } = attempt;
    sink.onDrain = () => {
      this.#needsDrain = false;
      this.#decoder?.resume();
      this.#resume();
    };
    if (totalMs !== null) {
      this.#timer = setTimeout(() => this.abort(new TimedOut("total")), totalMs);
    }
  }

  /** Gives up: the caller has gone, or time has run out. */
  abort(reason: Error): void {
    if (this.#controller) this.#controller.abort(reason);
    else this.onResponseError(undefined, reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#wasSent = true;
    if (this.#isSettled || this.#attempt.sink.closed) controller.abort(new CallerGone());
    else this.#limitSilence(this.#attempt.firstByteMs);
  }

  onBodySent(): void {
    this.#silence?.refresh();
  }

  onRequestSent(): void {
    this.#isRequestSent = true;
  }

  #limitSilence(ms: number | null): void {
    clearTimeout(this.#silence);
    this.#silence = ms === null ? undefined : setTimeout(onSilence, ms, this);
  }

  /** The backend said nothing for as long as it may. */
  endSilence(): void {
    if (this.#isWaitingForCaller()) this.#silence?.refresh();
    else this.abort(new TimedOut(this.#reply ? "idle" : "firstByte"));
  }

  /** For more of its body, or to read more of the answer: then the backend is not to blame. */
  #isWaitingForCaller(): boolean {
    if (this.#needsDrain || this.#isDecoderFull) return true;
    const { body } = this.#attempt;
    // undici pauses a body that the backend does not read.
    return !this.#isRequestSent && body instanceof Readable && !body.isPaused();
  }

  /** The connection is a WebSocket's now. */
  release(): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#timer);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _: unknown, statusText = ""): void {
    // 1xx answers are for the next hop only and several may come (RFC 9110 section 15.2).
    if (status < 200 || this.#isSettled) return;
    if (status > 599) {
      controller.abort(new MalformedAnswer(`the status ${status} means nothing (RFC 9110 section 15)`));
      return;
    }
    this.#limitSilence(this.#attempt.idleMs);
    const { ctx, sink, targetUrl } = this.#attempt;
    const backend = readBackendHead(controller.rawHeaders as Uint8Array[]);
    // Slices of the first read: kept, they would hold its 64 KB for as long as the answer lasts.
    controller.rawHeaders = [];
    const { pipeline } = ctx;
    this.#reply = { status, statusText: writableReason(statusText), backend };
    const headMs = this.#elapsedMs();
    this.#writeDown({ target: targetUrl, status, wasSent: true, headMs, ms: headMs });
    const replacement = this.#attempt.onResponse(status, backend);
    if (replacement) {
      this.#drop(controller);
      this.#attempt.replace(replacement);
      return;
    }
    if (status === 401 && !keepRequestChallenges(backend.pairs)) {
      controller.abort(new UnfitAnswer("it answered 401 and offers only NTLM or Negotiate", "connection-auth-unsupported"));
      return;
    }
    if (ctx.request.method === "HEAD" || isBodiless(status)) {
      // A 204 has no length, whatever the backend says (RFC 9110 section 8.6).
      this.#sendHead(status === 204 ? undefined : backend.contentLength);
      return;
    }
    const decoder = this.#attempt.decode(backend.contentEncoding);
    if (decoder === "unknown") {
      controller.abort(new UnfitAnswer(`its Content-Encoding (${backend.contentEncoding}) can't be decoded here`));
      return;
    }
    this.#decoder = decoder;
    this.#decoder?.start({
      chunk: (bytes) => this.#pass(bytes),
      drained: () => {
        this.#isDecoderFull = false;
        this.#resume();
      },
      done: () => this.#finish(),
      failed: (error) => this.abort(error),
    });
    if (pipeline.responseBody.length > 0) {
      this.#taps = this.#shape(() => new BodyTaps(pipeline.responseBody, "responseBody", ctx));
    }
    if (pipeline.bufferResponseBytes !== undefined) {
      this.#buffered = [];
      return;
    }
    const keepsLength = !this.#decoder && !(this.#taps && replacesBytes(pipeline.responseBody, "responseBody"));
    const length = keepsLength ? backend.contentLength : undefined;
    this.#left = length === undefined ? undefined : Number(length);
    this.#sendHead(length);
    if (pipeline.heartbeatMs !== undefined && length === undefined && isEventStream(backend)) {
      // A comment among encoded bytes would break them.
      if (this.#decoder || backend.contentEncoding === undefined) this.#startHeartbeat(pipeline.heartbeatMs);
    }
    // A chunk that comes in the same read goes out with the head in one write; otherwise the head does not wait for it.
    this.#isHeadPending = true;
    queueMicrotask(() => {
      if (this.#isHeadPending && !sink.closed) sink.flush();
      this.#isHeadPending = false;
    });
  }

  #drop(controller: Dispatcher.DispatchController): void {
    this.#settle();
    this.#timer = setTimeout(() => controller.abort(new Error("an answer that is not passed on takes too long")), DROPPED_MS);
  }

  #startHeartbeat(everyMs: number): void {
    const { sink } = this.#attempt;
    this.#heartbeat = new Heartbeat(everyMs, (comment) => {
      // A caller that reads nothing would only pile them up.
      if (this.#needsDrain || sink.closed) return;
      this.#write(comment);
      if (this.#needsDrain) this.#controller?.pause();
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // A parser that is resumed with nothing to read says so by an empty chunk. Passed on to a stream that is full, it would ask for
    // more, be resumed, say so again, and the process would do nothing else.
    if (chunk.length === 0) return;
    this.#silence?.refresh();
    if (this.#isSettled) {
      this.#droppedLeft -= chunk.length;
      if (this.#droppedLeft < 0) controller.abort(new Error("an answer that is not passed on is too long"));
      return;
    }
    if (this.#decoder) this.#isDecoderFull = !this.#decoder.write(chunk);
    else this.#pass(chunk);
    if (this.#needsDrain || this.#isDecoderFull) controller.pause();
  }

  #resume(): void {
    if (this.#needsDrain || this.#isDecoderFull) return;
    this.#silence?.refresh();
    this.#controller?.resume();
  }

  onResponseEnd(): void {
    if (this.#isSettled) {
      clearTimeout(this.#timer);
      return;
    }
    // For undici the request is over, and aborting it does nothing: what fails from here on ends the answer itself.
    this.#controller = undefined;
    if (this.#decoder) this.#decoder.end();
    else this.#finish();
  }

  onResponseError(_: unknown, error: Error): void {
    if (this.#isSettled) {
      clearTimeout(this.#timer);
      return;
    }
    this.#settle(error);
    const { sink } = this.#attempt;
    if (sink.closed) return;
    if (this.#hasHead) {
      sink.destroy();
      return;
    }
    const refusal = this.#hasBug ? refuse("internal", { reason: describe(error) }) : asRefusal(error);
    // The total is for all attempts together. Timers may be early: what then seems to be left of it is no time for another.
    // An answer that a route's steps can't take would be the same again.
    const isFinal = isTotal(error) || error instanceof UnfitAnswer;
    this.#attempt.onError({ refusal, wasSent: this.#wasSent, isFinal });
  }

  #pass(chunk: Uint8Array): void {
    const taps = this.#buffered ? undefined : this.#taps;
    const passed = taps ? this.#shape(() => taps.chunk(chunk)) : chunk;
    if (!passed || this.#isSettled) return;
    if (this.#buffered) {
      this.#buffer(passed);
      return;
    }
    const bytes = this.#heartbeat ? this.#heartbeat.pass(passed) : passed;
    if (bytes.length > 0) this.#write(bytes);
  }

  #write(bytes: Uint8Array): void {
    const { sink, ctx } = this.#attempt;
    this.#isHeadPending = false;
    ctx.countSent(bytes.length);
    if (this.#left !== undefined) {
      this.#left -= bytes.length;
      // The last stated byte: ending here lets the host send head and body at once.
      if (this.#left === 0) {
        this.#settle();
        sink.end(bytes);
        return;
      }
    }
    this.#needsDrain = !sink.write(bytes);
    if (this.#needsDrain) this.#decoder?.pause();
  }

  #buffer(chunk: Uint8Array): void {
    this.#bufferedBytes += chunk.length;
    const bound = this.#attempt.ctx.pipeline.bufferResponseBytes!;
    if (this.#bufferedBytes > bound) {
      this.abort(new UnfitAnswer(`it is larger than the ${bound} bytes that a step of this route can hold`));
      return;
    }
    this.#buffered!.push(chunk);
  }

  #finish(): void {
    if (this.#isSettled) return;
    const { sink, ctx } = this.#attempt;
    if (this.#buffered) {
      const whole = Buffer.concat(this.#buffered);
      const taps = this.#taps;
      const body = taps ? this.#shape(() => Buffer.concat([taps.chunk(whole) ?? new Uint8Array(), ...taps.end()])) : whole;
      this.#sendHead(String(body.length));
      ctx.countSent(body.length);
      this.#settle();
      sink.end(body);
      return;
    }
    const taps = this.#taps;
    for (const chunk of taps ? this.#shape(() => taps.end()) : []) {
      ctx.countSent(chunk.length);
      sink.write(chunk);
    }
    this.#isHeadPending = false;
    this.#settle();
    sink.end();
  }

  #sendHead(length: string | undefined): void {
    const { status, statusText, backend } = this.#reply!;
    const { ctx, sink } = this.#attempt;
    const shaped = this.#shape(() => this.#attempt.head(status, backend, length));
    ctx.setAnswer(shaped.status, "backend");
    // Throws for bytes that a field may not hold: undici then ends the attempt, and the caller gets a problem.
    sink.head(shaped.status, shaped.status === status ? statusText : "", shaped.pairs);
    this.#hasHead = true;
  }

  /** undici takes whatever its handler throws for a failure of the connection: what a policy throws is told apart here. */
  #shape<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      this.#hasBug = true;
      this.#attempt.report(error);
      throw error;
    }
  }

  #settle(error?: Error): void {
    this.#isSettled = true;
    this.#decoder?.destroy();
    this.#heartbeat?.stop();
    this.release();
    // A kept controller holds the request after it alive, and that one the next: whole chains would live until a full collection.
    this.#controller = undefined;
    const { sink, targetUrl } = this.#attempt;
    sink.onDrain = undefined;
    const ms = this.#elapsedMs();
    if (this.#record) {
      this.#record.ms = ms;
      if (error) this.#record.error = describe(error);
    } else this.#writeDown({ target: targetUrl, error: error && describe(error), wasSent: this.#wasSent, ms });
    const { status } = this.#reply ?? {};
    this.#attempt.onEnd(resultOf({ status, error, hasHead: this.#hasHead, hasBug: this.#hasBug }));
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
