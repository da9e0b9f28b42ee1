/** Where an explained request ends: what would have gone to a backend, or the answer that the caller would have had. */
import { Dispatcher } from "undici";
import type { Pools } from "../backends/pools.ts";
import type { Sink } from "../contract/sink.ts";
import { collectBody } from "../proxy/request-body.ts";

export interface Sent {
  readonly kind: "sent";
  readonly origin: string;
  readonly method: string;
  /** Path and query, as in the request line. */
  readonly target: string;
  /** Name, value, name, value. */
  readonly pairs: readonly string[];
  readonly body: Uint8Array | undefined;
}

export interface Answered {
  readonly kind: "answered";
  readonly status: number;
  readonly pairs: readonly string[];
  readonly body: string;
}

/** Pools whose dispatchers keep what they get. */
export class Outlet implements Pools {
  onSent: ((sent: Sent) => void) | undefined;

  poolFor(origin: string): Dispatcher {
    return new Keeper(origin, (sent) => this.onSent?.(sent));
  }

  async close(): Promise<void> {}
}

class Keeper extends Dispatcher {
  readonly #origin: string;
  readonly #onSent: (sent: Sent) => void;

  constructor(origin: string, onSent: (sent: Sent) => void) {
    super();
    this.#origin = origin;
    this.#onSent = onSent;
  }

  override dispatch({ method, path, headers, body }: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    readBody(body).then(
      (bytes) =>
        this.#onSent({ kind: "sent", origin: this.#origin, method, target: path, pairs: headers as string[], body: bytes }),
      // As undici does where the body breaks off: it may be larger than the route allows.
      (error: Error) => handler.onResponseError?.(undefined as unknown as Dispatcher.DispatchController, error),
    );
    return true;
  }
}

async function readBody(body: Dispatcher.DispatchOptions["body"]): Promise<Uint8Array | undefined> {
  if (body === null || body === undefined) return undefined;
  return body instanceof Uint8Array ? body : collectBody(body as unknown as AsyncIterable<Uint8Array>);
}

/** The caller's side. */
export class AnswerKeeper implements Sink {
  onDrain: (() => void) | undefined;
  closed = false;
  readonly #onAnswered: (answered: Answered) => void;
  #onClose: ((complete: boolean) => void) | undefined;
  #status = 0;
  #pairs: readonly string[] = [];
  readonly #chunks: Uint8Array[] = [];

  constructor(onAnswered: (answered: Answered) => void) {
    this.#onAnswered = onAnswered;
  }

  set onClose(listener: (complete: boolean) => void) {
    this.#onClose = listener;
  }

  head(status: number, _: string, pairs: string[]): void {
    this.#status = status;
    this.#pairs = pairs;
  }

  flush(): void {}

  write(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk);
    return true;
  }

  end(chunk?: Uint8Array | string): void {
    if (chunk !== undefined) this.write(Buffer.from(chunk as string));
    this.#onAnswered({
      kind: "answered",
      status: this.#status,
      pairs: this.#pairs,
      body: Buffer.concat(this.#chunks).toString(),
    });
    this.#close(true);
  }

  /** The caller goes away: what the request has left running ends with it. */
  destroy(): void {
    this.#close(false);
  }

  #close(complete: boolean): void {
    if (this.closed) return;
    this.closed = true;
    this.#onClose?.(complete);
  }
}
