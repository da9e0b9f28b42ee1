/**
 * Passes an answer on and keeps its body up to a bound. It outlasts the caller: who has gone will ask again, and is to find the
 * answer and not a request that was broken off half way.
 */
import type { Sink } from "../../contract/sink.ts";

export interface Kept {
  readonly status: number;
  /** Undefined where it was larger than the bound. */
  readonly body: Uint8Array | undefined;
}

export class KeepingSink implements Sink {
  onDrain: (() => void) | undefined;
  readonly #sink: Sink;
  readonly #maxBytes: number;
  readonly #patienceMs: number;
  readonly #onEnd: (kept: Kept | undefined) => void;
  #onClose: ((complete: boolean) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #chunks: Uint8Array[] | undefined = [];
  #bytes = 0;
  #status = 0;
  #isOver = false;

  /** `onEnd` is told of a whole answer, or of none. `patienceMs`: how long an answer is waited for when its caller has gone. */
  constructor(sink: Sink, maxBytes: number, patienceMs: number, onEnd: (kept: Kept | undefined) => void) {
    this.#sink = sink;
    this.#maxBytes = maxBytes;
    this.#patienceMs = patienceMs;
    this.#onEnd = onEnd;
    sink.onClose = (complete) => this.#callerClosed(complete);
    sink.onDrain = () => this.onDrain?.();
  }

  set onClose(listener: (complete: boolean) => void) {
    this.#onClose = listener;
    if (this.closed) queueMicrotask(() => listener(false));
  }

  get closed(): boolean {
    return this.#isOver && this.#sink.closed;
  }

  head(status: number, statusText: string, pairs: string[]): void {
    this.#status = status;
    if (!this.#sink.closed) this.#sink.head(status, statusText, pairs);
  }

  flush(): void {
    if (!this.#sink.closed) this.#sink.flush();
  }

  write(chunk: Uint8Array): boolean {
    this.#keep(chunk);
    return this.#sink.closed ? true : this.#sink.write(chunk);
  }

  end(chunk?: Uint8Array | string): void {
    if (this.#isOver) return;
    if (chunk !== undefined) this.#keep(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
    // Before the caller hears of the end: it may ask again at once.
    this.#end({ status: this.#status, body: this.#chunks && Buffer.concat(this.#chunks) });
    if (this.#sink.closed) this.#onClose?.(false);
    else this.#sink.end(chunk);
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#end(undefined);
    if (this.#sink.closed) this.#onClose?.(false);
    else this.#sink.destroy();
  }

  #end(kept: Kept | undefined): void {
    this.#isOver = true;
    this.#chunks = undefined;
    clearTimeout(this.#timer);
    this.#onEnd(kept);
  }

  #callerClosed(complete: boolean): void {
    if (this.#isOver) {
      this.#onClose?.(complete);
      return;
    }
    // It may have been held back for the caller.
    this.onDrain?.();
    this.#timer = setTimeout(() => this.destroy(), this.#patienceMs);
  }

  #keep(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) this.#chunks = undefined;
    // A copy: a small piece would keep the whole read that it came in alive.
    else this.#chunks?.push(Uint8Array.from(chunk));
  }
}
