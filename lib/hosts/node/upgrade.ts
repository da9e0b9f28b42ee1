/** WebSocket handshakes on the Node host: an upgraded connection is given an HTTP answer, or is handed over for good. */
import { IncomingMessage, type ServerOptions, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Gateway } from "../../gateway/gateway.ts";
import { faultOfHandshake } from "../../proxy/websocket/handshake.ts";
import type { UpgradeSink } from "../../proxy/websocket/upgrade-sink.ts";
import { connectionOf, isFull } from "./connection.ts";
import { handleNodeRequest, type NodeHandling } from "./handler.ts";
import { NodeSink } from "./sink.ts";
import { linger } from "./socket-sink.ts";

export interface Upgrades {
  /** For createServer: which requests the `upgrade` event is for. */
  readonly options: ServerOptions;
  /** The listener of `upgrade`. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Closes every conversation. */
  close(): void;
}

/**
 * Other offers of a protocol are ignored, and answered in HTTP/1.1 (RFC 9110 section 7.8): h2c, which curl and Java offer with
 * plain requests, lists, and offers in HTTP/1.0 or with a method that begins no WebSocket (RFC 6455 section 4.1).
 */
function asksForWebSocket({ method, httpVersion, headers }: IncomingMessage): boolean {
  return method === "GET" && httpVersion === "1.1" && headers.upgrade?.toLowerCase() === "websocket";
}

const OFFERS = Symbol("offers");

/**
 * The server believes what the request says of itself, and asks once its fields are read. A request over the bound of its connection says
 * that it upgrades: Node then stops reading in the middle of the bytes at hand, and makes no further requests of them.
 */
class DecidingMessage extends IncomingMessage {
  [OFFERS] = false;

  get upgrade(): boolean {
    if (isFull(this.socket)) return true;
    return this[OFFERS] && (this.method === "CONNECT" || asksForWebSocket(this));
  }

  set upgrade(offers: boolean | null) {
    this[OFFERS] = offers ?? false;
  }
}

export function createUpgrades(gateway: () => Gateway, handling: NodeHandling): Upgrades {
  const open = new Map<Socket, () => void>();
  let isClosing = false;

  return {
    options: { IncomingMessage: DecidingMessage },

    handle(request, duplex, head) {
      const socket = duplex as Socket;
      const connection = connectionOf(socket, handling.locate);
      if (connection.isFull) connection.endAfterWaiting();
      else if (connection.isBusy) connection.enqueue(() => upgrade(request, socket, head));
      else upgrade(request, socket, head);
    },

    close() {
      isClosing = true;
      for (const shutDown of open.values()) shutDown();
    },
  };

  function upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    socket.setTimeout(0).setNoDelay(true);
    const conversation = (shutDown: () => void) => {
      open.set(socket, shutDown);
      if (isClosing) shutDown();
    };
    open.set(socket, () => {});
    socket.once("close", () => open.delete(socket));
    const sink = new NodeUpgradeSink(response, socket, head, conversation);
    const current = gateway();
    const upgrading: Gateway = {
      ...current,
      execute(ctx) {
        const refusal = faultOfHandshake(ctx.facts);
        if (refusal) current.send(ctx, refusal, sink);
        else current.execute(ctx, sink);
      },
    };
    handleNodeRequest(request, response, upgrading, handling);
  }
}

class NodeUpgradeSink extends NodeSink implements UpgradeSink {
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  readonly #conversation: (shutDown: () => void) => void;
  /** What came before the answer, which a client should wait for (RFC 6455 section 4.1). */
  readonly #early: Buffer[];

  constructor(response: ServerResponse, socket: Socket, head: Buffer, conversation: (shutDown: () => void) => void) {
    super(response);
    this.#response = response;
    this.#socket = socket;
    this.#early = head.length > 0 ? [head] : [];
    this.#conversation = conversation;
    // Only who reads learns that the other end has gone.
    socket.on("data", this.#onEarly).on("end", this.#onGone).resume();
    response.on("finish", this.#onAnswered);
  }

  switchProtocols(pairs: string[]): Duplex {
    const socket = this.#socket;
    const response = this.#response;
    response.writeHead(101, ["Upgrade", "websocket", "Connection", "Upgrade", ...pairs]);
    // Not flushHeaders: it would write the head as UTF-8, and field values are latin-1.
    response.off("finish", this.#onAnswered).end();
    response.detachSocket(socket);
    socket.off("data", this.#onEarly).off("end", this.#onGone).pause();
    if (this.#early.length > 0) socket.unshift(Buffer.concat(this.#early));
    return socket;
  }

  set onShutdown(listener: () => void) {
    this.#conversation(listener);
  }

  readonly #onEarly = (chunk: Buffer): void => {
    this.#early.push(chunk);
    // One chunk is kept for the backend, more may wait in the network.
    this.#socket.pause();
  };

  /** With another answer than 101. */
  readonly #onAnswered = (): void => {
    const socket = this.#socket;
    socket.off("data", this.#onEarly).end();
    linger(socket);
  };

  readonly #onGone = (): void => {
    this.#socket.destroy();
  };
}
