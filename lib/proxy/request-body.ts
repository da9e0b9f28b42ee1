/** A request's body on its way to the backend: counted, and kept apart from the caller's socket. */
import { Readable } from "node:stream";
import { type BodyPace, STANDARD_BODY_PACE } from "../contract/compiled/backend.ts";
import type { Clock } from "../contract/deps.ts";
import type { BodyTaps } from "../engine/body-taps.ts";

/** The body grew past the route's `maxBody`, or ended before its stated length; the backend never gets a clean end of it. */
export class BodyFault extends Error {
  readonly code: "payload-too-large" | "bad-request" | "request-timeout";

  constructor(code: BodyFault["code"], message: string) {
    super(message);
    this.code = code;
  }
}

export interface BodyRules {
  readonly maxBytes: number;
  /** The length that a body must have where the host may cut it unseen; undefined elsewhere. */
  readonly statedBytes: number | undefined;
  readonly pace?: BodyPace | undefined;
  readonly clock: Clock;
  onBytes(bytes: number): void;
}

/** A caller that sends nothing for so long holds a connection here and one at the backend, whatever pace it may keep. */
const SILENCE_MS = 30_000;

/**
 * The source's bytes as a stream of their own. Destroying it (undici does, when an attempt ends early) leaves the source alone:
 * destroying a server's request would take away the socket on which the answer is still to be sent.
 */
export class CountedBody extends Readable {
  readonly #source: Readable;
  readonly #maxBytes: number;
  readonly #statedBytes: number | undefined;
  readonly #onBytes: (bytes: number) => void;
  readonly #clock: Clock;
  /** What each byte adds to the time that the caller has; 0 where any pace will do. */
  readonly #msPerByte: number;
  /** The caller never has more time than this: bytes that came at once must not pay for hours of trickling. */
  readonly #mostMs: number;
  #total = 0;
  /** The end of the caller's time. It grows with each byte, and with the time in which the backend does not read (slow POST). */
  #deadlineMs: number;
  #pausedAtMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Readable, { maxBytes, statedBytes, pace = STANDARD_BODY_PACE, clock, onBytes }: BodyRules) {
    super();
    this.#source = source;
    this.#maxBytes = maxBytes;
    this.#statedBytes = statedBytes;
    this.#onBytes = onBytes;
    this.#clock = clock;
    const { bytesPerSecond, graceMs } = pace;
    this.#msPerByte = bytesPerSecond === undefined ? 0 : 1000 / bytesPerSecond;
    this.#mostMs = Math.max(SILENCE_MS, graceMs);
    this.#deadlineMs = this.#clock.monotonic() + (bytesPerSecond === undefined ? this.#mostMs : graceMs);
    this.#arm();
    // While a step waits for an answer, or the request for a place or its next attempt, the body has no reader. A caller that broke off
    // then would end the process by an error without a listener. A later reader hears of the fault all the same.
    this.on("error", () => {});
    source.on("data", this.#onData);
    source.on("end", this.#onEnd);
    source.on("error", this.#onFault);
    source.on("close", this.#onClose);
  }

  override _read(): void {
    if (this.#pausedAtMs !== undefined) {
      this.#deadlineMs += this.#clock.monotonic() - this.#pausedAtMs;
      this.#pausedAtMs = undefined;
      if (!this.#timer) this.#arm();
    }
    this.#source.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    this.#source.off("data", this.#onData);
    this.#source.off("end", this.#onEnd);
    this.#source.off("close", this.#onClose);
    done(error);
  }

  readonly #onData = (chunk: Uint8Array): void => {
    this.#total += chunk.length;
    this.#onBytes(chunk.length);
    const nowMs = this.#clock.monotonic();
    const earnedMs = this.#msPerByte === 0 ? this.#mostMs : chunk.length * this.#msPerByte;
    this.#deadlineMs = Math.min(this.#deadlineMs + earnedMs, nowMs + this.#mostMs);
    if (this.#total > this.#maxBytes) {
      this.destroy(new BodyFault("payload-too-large", `The body may have at most ${this.#maxBytes} bytes.`));
    } else if (!this.push(chunk)) {
      this.#source.pause();
      this.#pausedAtMs = nowMs;
    }
  };

  #arm(): void {
    this.#timer = setTimeout(this.#onTime, Math.max(this.#deadlineMs - this.#clock.monotonic(), 1)).unref();
  }

  /** The deadline moves with each chunk, the timer only when it fires. */
  readonly #onTime = (): void => {
    this.#timer = undefined;
    // A caller that is slow because the backend is has been told to wait.
    if (this.#pausedAtMs !== undefined) return;
    if (this.#clock.monotonic() < this.#deadlineMs) this.#arm();
    else this.destroy(new BodyFault("request-timeout", "The body came too slowly."));
  };

  readonly #onEnd = (): void => {
    clearTimeout(this.#timer);
    const stated = this.#statedBytes;
    if (stated === undefined || stated === this.#total) {
      this.push(null);
      return;
    }
    // Next cuts a long body without a word; forwarding what is left would pass it off as whole.
    this.destroy(new BodyFault("bad-request", `The body ended after ${this.#total} of ${stated} bytes.`));
  };

  /** The caller's connection broke, or the host says what is wrong with the body: no failure of the gateway. */
  readonly #onFault = (error: Error): void => {
    this.destroy(error instanceof BodyFault ? error : new BodyFault("bad-request", "The body broke off."));
  };

  readonly #onClose = (): void => {
    if (!this.#source.readableEnded) this.destroy(new BodyFault("bad-request", "The body broke off."));
  };
}

/** Passes each chunk by the steps that observe or transform the request's body. */
export async function* tappedBody(body: AsyncIterable<Uint8Array>, taps: BodyTaps): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    const passed = taps.chunk(chunk);
    if (passed) yield passed;
  }
  yield* taps.end();
}

/** Reads the whole body into memory. */
export async function collectBody(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
