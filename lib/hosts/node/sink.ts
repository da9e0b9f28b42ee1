/** An answer on its way to a socket by way of node:http. */
import type { ServerResponse } from "node:http";
import type { Sink } from "../../contract/sink.ts";

/** A caller that takes nothing for so long is given up: it holds memory here and a connection at the backend (slow read). */
const STALLED_MS = 60_000;
/** Bodies up to this size leave in one write with their head. */
const ONE_WRITE_BYTES = 16 * 1024;

export class NodeSink implements Sink {
  onDrain: (() => void) | undefined;
  #onClose: ((complete: boolean) => void) | undefined;
  readonly #response: ServerResponse;
  #hasBegun = false;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on("close", () => this.#onClose?.(response.writableFinished));
  }

  set onClose(listener: (complete: boolean) => void) {
    this.#onClose = listener;
    // The caller may have gone while the request was still being decided.
    if (this.closed) queueMicrotask(() => listener(this.#response.writableFinished));
  }

  get closed(): boolean {
    return this.#response.destroyed;
  }

  head(status: number, statusText: string, pairs: string[]): void {
    // A head that could not be written leaves its phrase behind; without one Node writes the status's own.
    this.#response.statusMessage = statusText;
    this.#response.writeHead(status, pairs);
  }

  flush(): void {
    this.#hasBegun = true;
    // Not flushHeaders: it would write the head as UTF-8, and field values are latin-1.
    this.#response.write("", "latin1");
  }

  write(chunk: Uint8Array): boolean {
    // Node makes an error event of a write after the end of the connection.
    if (this.closed) return true;
    this.#hasBegun = true;
    const isReady = this.#response.write(chunk);
    if (!isReady) this.#waitForReader();
    return isReady;
  }

  #waitForReader(): void {
    const timer = setTimeout(() => this.destroy(), STALLED_MS).unref();
    const done = () => {
      clearTimeout(timer);
      this.#response.off("drain", drained);
      this.#response.off("close", done);
    };
    const drained = () => {
      done();
      this.onDrain?.();
    };
    this.#response.on("drain", drained);
    this.#response.on("close", done);
  }

  end(chunk?: Uint8Array | string): void {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (bytes && bytes.length <= ONE_WRITE_BYTES && !this.#hasBegun) {
      // As text in the head's own encoding, Node joins both into one write to the socket.
      this.#response.end((bytes as Buffer).toString("latin1"), "latin1");
    } else {
      this.#response.end(bytes);
    }
  }

  destroy(): void {
    this.#response.destroy();
  }
}
