/** The state of a client's connection on the Node host. It is a property of the socket itself: a WeakMap costs a collection more than the rest. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Client } from "../../contract/request.ts";
import { canonicalIp } from "../../http/ip.ts";
import type { Locate } from "./geo-database.ts";
import { LocatedClient } from "./located-client.ts";
import { RequestQueue } from "./request-queue.ts";

const KEY = Symbol("frontdesk.connection");

type ClientSocket = Duplex & { readonly remoteAddress?: string | undefined; [KEY]?: NodeConnection };

export class NodeConnection {
  /** The other end of the connection: all of its requests come from the same peer. */
  readonly peer: Client;
  /** The answer to the request that is at work, or to the last one that was. */
  response: ServerResponse | undefined = undefined;
  /** The parser has given the connection up, and the client has been told. */
  isRefused = false;
  readonly #socket: ClientSocket;
  /** Made for the first pipelined request: few clients send any. */
  #queue: RequestQueue | undefined = undefined;

  constructor(socket: ClientSocket, peer: Client) {
    this.#socket = socket;
    this.peer = peer;
  }

  /** A request is at work. Until its answer has ended the next one must wait: answers leave in the order of the requests. */
  get isBusy(): boolean {
    return this.response !== undefined && !this.response.closed;
  }

  get hasWaiting(): boolean {
    return this.#queue?.isEmpty === false;
  }

  /** As many wait as may: the parser stops at the next. */
  get isFull(): boolean {
    return this.#queue?.isFull === true;
  }

  /** The parser has stopped: the connection ends with the answer to the last request that waits. */
  endAfterWaiting(): void {
    this.#queue?.end();
  }

  /** The request whose body the parser is reading, or that it read last. */
  get lastRequest(): IncomingMessage | undefined {
    return this.#queue?.last ?? this.response?.req;
  }

  /** Calls `start` when the requests before it have been answered, or never where the connection ends first. */
  enqueue(start: () => void, response?: ServerResponse): void {
    this.#queue ??= new RequestQueue(this.#socket, this);
    this.#queue.add(start, response);
  }

  /** In place of the last request that waits: its body is broken. */
  replaceLastWaiting(start: () => void): void {
    this.#queue?.replaceLast(start);
  }
}

export function isFull(socket: ClientSocket | undefined): boolean {
  return socket?.[KEY]?.isFull === true;
}

export function connectionOf(socket: ClientSocket, locate?: Locate): NodeConnection {
  if (!socket[KEY]) {
    const ip = socket.remoteAddress === undefined ? undefined : canonicalIp(socket.remoteAddress);
    socket[KEY] = new NodeConnection(socket, new LocatedClient(ip, locate));
  }
  return socket[KEY];
}
