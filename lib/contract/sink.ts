/**
 * Where an answer goes: a host's response, seen by the engine. The Node host writes to the socket, the Vercel host fills a
 * stream. A head waits until the first byte after it, so that a host can send both in one write; `flush` sends it alone.
 */
export interface Sink {
  /** `pairs` is name, value, name, value. Nothing leaves before `write`, `flush` or `end`. */
  head(status: number, statusText: string, pairs: string[]): void;
  flush(): void;
  /** False: wait for `onDrain` before writing more. */
  write(chunk: Uint8Array): boolean;
  end(chunk?: Uint8Array | string): void;
  /** Breaks the connection: an answer that has begun and can't be finished must not look whole. */
  destroy(): void;
  onDrain: (() => void) | undefined;
  /** Called once, when the answer has been sent or the caller has gone; `complete` tells which. */
  set onClose(listener: (complete: boolean) => void);
  readonly closed: boolean;
}
