/** A request's body on its way to the backend: counted, and kept apart from the caller's socket. */
import { Readable } from "node:stream";
import type { BodyTaps } from "../body-taps.ts";

/** The body grew past the route's `maxBody`, or ended before its stated length; the backend never gets a clean end of it. */
export class BodyFault extends Error {
  readonly code: "payload-too-large" | "bad-request" | "request-timeout";

  constructor(code: BodyFault["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** A caller that sends nothing for so long holds a connection here and one at the backend (slow POST). */
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
  readonly #timer: NodeJS.Timeout;
  #total = 0;

  constructor(source: Readable, maxBytes: number, statedBytes: number | undefined, onBytes: (bytes: number) => void) {
    super();
    this.#source = source;
    this.#maxBytes = maxBytes;
    this.#statedBytes = statedBytes;
    this.#onBytes = onBytes;
    this.#timer = setTimeout(this.#onSilence, SILENCE_MS).unref();
    // Nobody reads it while a step of the route waits for an answer, or the request for a place or its next attempt. A caller that
    // broke off then would end the whole process by an error without a listener; whoever reads it later hears of the fault all the same.
    this.on("error", () => {});
    source.on("data", this.#onData);
    source.on("end", this.#onEnd);
    source.on("error", this.#onFault);
    source.on("close", this.#onClose);
  }

  override _read(): void {
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
    this.#timer.refresh();
    this.#total += chunk.length;
    this.#onBytes(chunk.length);
    if (this.#total > this.#maxBytes) {
      this.destroy(new BodyFault("payload-too-large", `The body may have at most ${this.#maxBytes} bytes.`));
    } else if (!this.push(chunk)) {
      this.#source.pause();
    }
  };

  /** A caller that is slow because the backend is has been told to wait: that is not its silence. */
  readonly #onSilence = (): void => {
    if (this.#source.isPaused()) this.#timer.refresh();
    else this.destroy(new BodyFault("request-timeout", `The body was silent for ${SILENCE_MS / 1000} seconds.`));
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

  readonly #onFault = (error: Error): void => {
    this.destroy(error);
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
