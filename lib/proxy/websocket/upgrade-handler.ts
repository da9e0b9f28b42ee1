/**
 * A WebSocket handshake at a backend. If the backend switches, its connection and the caller's become a tunnel; what it answers
 * instead is an answer like any other and goes the way of those.
 */
import type { Duplex } from "node:stream";
import type { Dispatcher } from "undici";
import { refuse } from "../../contract/problem.ts";
import { HeaderList } from "../../http/header-list.ts";
import { readBackendHead } from "../../http/sanitize-headers.ts";
import { CallerGone, MalformedAnswer } from "../attempt-failure.ts";
import type { Attempt, ForwardHandler } from "../forward.ts";
import { agreement } from "./compression.ts";
import { acceptFor } from "./handshake.ts";
import { WebSocketTunnel } from "./tunnel.ts";
import type { UpgradeSink } from "./upgrade-sink.ts";

export class UpgradeHandler implements Dispatcher.DispatchHandler {
  readonly #attempt: Attempt;
  readonly #sink: UpgradeSink;
  readonly #startedMs: number;
  readonly #lifeMs: number | undefined;
  /** For every answer but 101. */
  readonly #plain: ForwardHandler;

  constructor(attempt: Attempt, sink: UpgradeSink, plain: ForwardHandler, lifeMs: number | undefined) {
    this.#attempt = attempt;
    this.#lifeMs = lifeMs;
    this.#sink = sink;
    this.#startedMs = attempt.clock.monotonic();
    this.#plain = plain;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#plain.onRequestStart(controller);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: unknown, statusText?: string): void {
    // Without the fields that make a 101 one, the connection says nothing more that has a meaning.
    if (status === 101) controller.abort(new MalformedAnswer("the backend switched protocols without saying to which"));
    else this.#plain.onResponseStart(controller, status, headers, statusText);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#plain.onResponseData(controller, chunk);
  }

  onResponseEnd(): void {
    this.#plain.onResponseEnd();
  }

  onResponseError(controller: unknown, error: Error): void {
    this.#plain.onResponseError(controller, error);
  }

  onRequestUpgrade(controller: Dispatcher.DispatchController, _status: number, _headers: unknown, socket: Duplex): void {
    socket.on("error", () => socket.destroy());
    try {
      this.#open(controller.rawHeaders as Uint8Array[], socket);
    } catch (error) {
      socket.destroy();
      this.#attempt.onEnd("ignored");
      this.#attempt.report(error);
      const refusal = refuse("internal", { reason: String(error) });
      this.#attempt.onError({ refusal, wasSent: true, isFinal: true });
    }
  }

  #open(rawHeaders: Uint8Array[], socket: Duplex): void {
    const { ctx, clock, targetUrl } = this.#attempt;
    const sink = this.#sink;
    const backend = readBackendHead(rawHeaders);
    const headers = new HeaderList(backend.pairs);
    const isProof = headers.get("sec-websocket-accept") === acceptFor(ctx.request.headers.get("sec-websocket-key")!);
    const extensions = agreement(ctx.request.headers, headers);
    if (sink.closed || !isProof || extensions === "unasked") {
      socket.destroy();
      const fault = isProof
        ? "the backend agreed to a WebSocket extension that was not offered"
        : "the backend's Sec-WebSocket-Accept is not the answer to the client's key";
      this.#plain.onResponseError(undefined, sink.closed ? new CallerGone() : new MalformedAnswer(fault));
      return;
    }
    this.#plain.release();
    this.#attempt.onResponse(101, backend);
    const { pairs } = this.#attempt.head(101, backend, undefined);
    const client = sink.switchProtocols(pairs);
    // The end of the sink would end an attempt that is over.
    this.#attempt.letGo();
    ctx.setAnswer(101, "backend");
    const headMs = clock.monotonic() - this.#startedMs;
    ctx.record.attempts.push({ target: targetUrl, status: 101, wasSent: true, headMs, ms: headMs });
    const tunnel = new WebSocketTunnel({
      client,
      backend: socket,
      maxMessageBytes: ctx.pipeline.maxBodyBytes,
      isCompressed: extensions === "deflate",
      idleMs: this.#attempt.idleMs,
      lifeMs: this.#lifeMs,
      onBytes: (from, bytes) => {
        if (from === "client") ctx.countReceived(bytes);
        else ctx.countSent(bytes);
      },
      onEnd: (isClean, reason) => {
        ctx.record.reason ??= reason;
        this.#attempt.onEnd("success");
        ctx.complete(isClean);
      },
    });
    sink.onShutdown = () => tunnel.close(1001, "the gateway is going away");
  }
}
