/**
 * The body of an answer on its way from the backend to the sink: decoder → taps → buffer → heartbeat. Each stage is there only where the
 * route or the host needs it.
 */
import type { Sink } from "../contract/sink.ts";
import { BodyTaps, replacesBytes } from "../engine/body-taps.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { BackendHead } from "../http/sanitize-headers.ts";
import { UnfitAnswer } from "./attempt-failure.ts";
import type { Decoder } from "./decode.ts";
import { Heartbeat, isEventStream } from "./heartbeat.ts";

/** The attempt, as the stage sees it. */
export interface BodyOwner {
  /** The attempt has ended: nothing more is passed on. */
  readonly isOver: boolean;
  sendHead(length: string | undefined): void;
  /** Runs a hook of a policy. */
  shape<T>(make: () => T): T;
  /** The attempt ends well. Called before the last bytes leave. */
  settle(): void;
  abort(error: Error): void;
  pause(): void;
  resume(): void;
}

export class ResponseBody {
  readonly #owner: BodyOwner;
  readonly #ctx: RequestContext;
  readonly #sink: Sink;
  readonly #decoder: Decoder | undefined;
  #taps: BodyTaps | undefined;
  #buffered: Uint8Array[] | undefined;
  #bufferedBytes = 0;
  #heartbeat: Heartbeat | undefined;
  /** Bytes of the stated length that have not come yet; undefined where no length was stated. */
  #leftBytes: number | undefined;
  #isHeadPending = false;
  #needsDrain = false;
  #isDecoderFull = false;

  constructor(owner: BodyOwner, ctx: RequestContext, sink: Sink, decoder: Decoder | undefined) {
    this.#owner = owner;
    this.#ctx = ctx;
    this.#sink = sink;
    this.#decoder = decoder;
  }

  /** Sends the head, unless a step wants the whole body before. */
  open(backend: BackendHead): void {
    const { pipeline } = this.#ctx;
    this.#sink.onDrain = () => this.#onDrain();
    this.#startDecoder();
    if (pipeline.responseBody.length > 0) {
      this.#taps = this.#owner.shape(() => new BodyTaps(pipeline.responseBody, "responseBody", this.#ctx));
    }
    if (pipeline.bufferResponseBytes !== undefined) {
      this.#buffered = [];
      return;
    }
    const keepsLength = !this.#decoder && !(this.#taps && replacesBytes(pipeline.responseBody, "responseBody"));
    const length = keepsLength ? backend.contentLength : undefined;
    this.#leftBytes = length === undefined ? undefined : Number(length);
    this.#owner.sendHead(length);
    if (this.#owner.isOver) return;
    if (pipeline.heartbeatMs !== undefined && length === undefined && isEventStream(backend)) {
      // A comment among encoded bytes would break them.
      if (this.#decoder || backend.contentEncoding === undefined) this.#startHeartbeat(pipeline.heartbeatMs);
    }
    this.#flushHeadSoon();
  }

  /** The sink or the decoder takes no more: the backend waits. */
  get isBlocked(): boolean {
    return this.#needsDrain || this.#isDecoderFull;
  }

  write(chunk: Uint8Array): void {
    if (this.#decoder) this.#isDecoderFull = !this.#decoder.write(chunk);
    else this.#pass(chunk);
  }

  /** The backend has sent all of it. */
  end(): void {
    if (this.#decoder) this.#decoder.end();
    else this.#finish();
  }

  destroy(): void {
    this.#decoder?.destroy();
    this.#heartbeat?.stop();
    this.#sink.onDrain = undefined;
  }

  #startDecoder(): void {
    // An error that a stream's listener throws would end the process.
    const guarded = (act: () => void) => {
      try {
        act();
      } catch (error) {
        this.#owner.abort(error as Error);
      }
    };
    this.#decoder?.start({
      chunk: (bytes) => guarded(() => this.#pass(bytes)),
      drained: () => {
        this.#isDecoderFull = false;
        this.#resume();
      },
      done: () => guarded(() => this.#finish()),
      failed: (error) => this.#owner.abort(error),
    });
  }

  /** A chunk that comes in the same read goes out with the head in one write; otherwise the head does not wait for it. */
  #flushHeadSoon(): void {
    this.#isHeadPending = true;
    queueMicrotask(() => {
      if (this.#isHeadPending && !this.#sink.closed) this.#sink.flush();
      this.#isHeadPending = false;
    });
  }

  #startHeartbeat(everyMs: number): void {
    this.#heartbeat = new Heartbeat(everyMs, (comment) => {
      // A caller that reads nothing would only pile them up.
      if (this.#needsDrain || this.#sink.closed) return;
      this.#writeOut(comment);
      if (this.#needsDrain) this.#owner.pause();
    });
  }

  #onDrain(): void {
    this.#needsDrain = false;
    this.#decoder?.resume();
    this.#resume();
  }

  #resume(): void {
    if (!this.isBlocked) this.#owner.resume();
  }

  #pass(chunk: Uint8Array): void {
    if (this.#buffered) {
      if (!this.#owner.isOver) this.#buffer(chunk);
      return;
    }
    const taps = this.#taps;
    const passed = taps ? this.#owner.shape(() => taps.chunk(chunk)) : chunk;
    if (!passed || this.#owner.isOver) return;
    const bytes = this.#heartbeat ? this.#heartbeat.pass(passed) : passed;
    if (bytes.length > 0) this.#writeOut(bytes);
  }

  #buffer(chunk: Uint8Array): void {
    this.#bufferedBytes += chunk.length;
    const bound = this.#ctx.pipeline.bufferResponseBytes!;
    if (this.#bufferedBytes > bound) {
      this.#owner.abort(new UnfitAnswer(`it is larger than the ${bound} bytes that a step of this route can hold`));
      return;
    }
    this.#buffered!.push(chunk);
  }

  #writeOut(bytes: Uint8Array): void {
    this.#isHeadPending = false;
    this.#ctx.countSent(bytes.length);
    if (this.#leftBytes !== undefined) {
      this.#leftBytes -= bytes.length;
      // The last stated byte: ending here lets the host send head and body at once.
      if (this.#leftBytes === 0) {
        this.#owner.settle();
        this.#sink.end(bytes);
        return;
      }
    }
    this.#needsDrain = !this.#sink.write(bytes);
    if (this.#needsDrain) this.#decoder?.pause();
  }

  #finish(): void {
    if (this.#owner.isOver) return;
    if (this.#buffered) {
      this.#sendWhole(Buffer.concat(this.#buffered));
      return;
    }
    const taps = this.#taps;
    for (const chunk of taps ? this.#owner.shape(() => taps.end()) : []) {
      this.#ctx.countSent(chunk.length);
      this.#sink.write(chunk);
    }
    this.#isHeadPending = false;
    this.#owner.settle();
    this.#sink.end();
  }

  #sendWhole(whole: Uint8Array): void {
    const taps = this.#taps;
    const body = taps ? this.#owner.shape(() => Buffer.concat([taps.chunk(whole) ?? new Uint8Array(), ...taps.end()])) : whole;
    this.#owner.sendHead(String(body.length));
    this.#ctx.countSent(body.length);
    this.#owner.settle();
    this.#sink.end(body);
  }
}
