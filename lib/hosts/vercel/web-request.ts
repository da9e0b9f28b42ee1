/** Between web Requests and Responses and the engine: what the Vercel host's two halves share. */
import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import type { Client, GatewayRequest } from "../../contract/request.ts";
import type { Sink } from "../../contract/sink.ts";
import { HeaderList } from "../../http/header-list.ts";
import { type RequestFacts, readRequestHeaders } from "../../http/sanitize-headers.ts";

export function toGatewayRequest(
  request: Request,
  client: Client,
  scheme: "http" | "https",
): GatewayRequest & { readonly facts: RequestFacts } {
  const pairs: string[] = [];
  request.headers.forEach((value, name) => {
    pairs.push(name, value);
  });
  const headers = new HeaderList(pairs);
  return {
    method: request.method,
    target: targetOf(request.url),
    scheme,
    host: headers.get("host") ?? "",
    httpVersion: "1.1",
    headers,
    facts: readRequestHeaders(headers),
    body: request.body ? Readable.fromWeb(request.body as NodeReadableStream<Uint8Array>) : null,
    client,
  };
}

/** Path and query of an absolute URL as they stand in it: parsing would resolve dots and change escapes. */
function targetOf(url: string): string {
  const path = url.indexOf("/", url.indexOf("://") + 3);
  return path < 0 ? "/" : url.slice(path);
}

/** Runs an engine call that writes to a sink, and returns what it wrote as a Response as soon as its head is known. */
export function respond(write: (sink: Sink) => void, signal: AbortSignal): Promise<Response> {
  return new Promise((resolve) => {
    write(new WebSink(resolve, signal));
  });
}

/** Chunks that wait in the stream before the backend is paused. */
const HIGH_WATER_MARK = 16;

/** Fetch standard, "null body status". */
const NULL_BODY_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

/** In place of an answer that can't be given. */
function brokenResponse(): Response {
  return new Response(null, { status: 502, headers: { "cache-control": "private, no-store" } });
}

class WebSink implements Sink {
  onDrain: (() => void) | undefined;
  #onClose: ((complete: boolean) => void) | undefined;
  #isComplete = false;
  closed = false;
  readonly #resolve: (response: Response) => void;
  readonly #signal: AbortSignal;
  #head: { status: number; statusText: string; headers: Headers } | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(resolve: (response: Response) => void, signal: AbortSignal) {
    this.#resolve = resolve;
    this.#signal = signal;
    if (signal.aborted) this.#abort();
    else signal.addEventListener("abort", this.#abort);
  }

  set onClose(listener: (complete: boolean) => void) {
    this.#onClose = listener;
    if (this.closed) queueMicrotask(() => listener(this.#isComplete));
  }

  readonly #abort = (): void => {
    if (this.closed) return;
    // A Response that nobody reads: rejecting instead would be logged as a crash of the handler.
    if (!this.#controller) this.#resolve(new Response(null, { status: 499 }));
    else this.#controller.error(new Error("the caller has gone"));
    this.#close(false);
  };

  head(status: number, statusText: string, pairs: string[]): void {
    const headers = new Headers();
    for (let i = 0; i < pairs.length; i += 2) headers.append(pairs[i]!, pairs[i + 1]!);
    this.#head = { status, statusText, headers };
  }

  flush(): void {
    this.#open();
  }

  write(chunk: Uint8Array): boolean {
    if (this.closed) return true;
    const controller = this.#open();
    // Nobody would read it, and wait for room in vain.
    if (NULL_BODY_STATUSES.has(this.#head!.status)) return true;
    controller?.enqueue(chunk);
    return (controller?.desiredSize ?? 1) > 0;
  }

  end(chunk?: Uint8Array | string): void {
    if (this.closed) return;
    if (this.#controller) {
      if (chunk !== undefined && !NULL_BODY_STATUSES.has(this.#head!.status))
        this.#controller.enqueue(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
      this.#controller.close();
    } else {
      const hasBody = chunk !== undefined && chunk.length > 0;
      this.#resolve(this.#response(hasBody ? (chunk as BodyInit) : null));
    }
    this.#close(true);
  }

  destroy(): void {
    if (this.closed) return;
    if (this.#controller) this.#controller.error(new Error("the backend broke off"));
    // Nothing has left: a connection that breaks can't be had from Next, and a promise without an end would hold the caller for ever.
    else this.#resolve(brokenResponse());
    this.#close(false);
  }

  /** Next takes a Response alone, and a body only where the Fetch standard allows one. */
  #response(body: BodyInit | null): Response {
    try {
      return new Response(NULL_BODY_STATUSES.has(this.#head!.status) ? null : body, this.#head);
    } catch {
      return brokenResponse();
    }
  }

  #open(): ReadableStreamDefaultController<Uint8Array> | undefined {
    if (this.closed || this.#controller) return this.#controller;
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.onDrain?.(),
        cancel: () => this.#close(false),
      },
      { highWaterMark: HIGH_WATER_MARK },
    );
    this.#resolve(this.#response(stream));
    return this.#controller;
  }

  #close(complete: boolean): void {
    if (this.closed) return;
    this.closed = true;
    this.#isComplete = complete;
    this.#signal.removeEventListener("abort", this.#abort);
    queueMicrotask(() => this.#onClose?.(complete));
  }
}
