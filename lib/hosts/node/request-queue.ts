/**
 * Pipelined requests of one connection (RFC 9112 section 9.3.2): one is at work, the others wait in their order while the socket is paused.
 * Node parses a whole read at once and hands over each request in it, which would open thousands of backend connections for one client's.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** More than clients send that pipeline at all (apt: 10). */
const MAX_WAITING = 32;
/** The largest read of a socket: no more can arrive before the pause takes effect. */
const READ_BYTES = 64 * 1024;
/** Node's two objects for a request, and its header fields as text. */
const REQUEST_BYTES = 4 * 1024;
/** For all connections together. Past it the connection that adds to it is broken. */
export const MAX_QUEUED_BYTES = 64 * 1024 * 1024;

/** Of the process, since its memory is what is bounded. */
let queuedBytes = 0;

/** Whose requests they are. */
interface Connection {
  /** The answer to the request that is at work. */
  readonly response: ServerResponse | undefined;
}

interface Waiting {
  readonly response: ServerResponse | undefined;
  start(): void;
}

export class RequestQueue {
  readonly #socket: Duplex;
  readonly #connection: Connection;
  #waiting: Waiting[] = [];
  #heldBytes = 0;

  constructor(socket: Duplex, connection: Connection) {
    this.#socket = socket;
    this.#connection = connection;
    socket.once("close", this.#clear);
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get last(): IncomingMessage | undefined {
    return this.#waiting.at(-1)?.response?.req;
  }

  get isFull(): boolean {
    return this.#waiting.length >= MAX_WAITING;
  }

  /**
   * Nothing more is taken: the last that waits is answered with `Connection: close`, and the client sends the others again (RFC 9112
   * section 9.3.2). What comes until then is read and dropped, or the close would reset the connection and take answers with it.
   */
  end(): void {
    const last = this.#waiting.at(-1);
    if (last?.response) last.response.shouldKeepAlive = false;
    this.#socket.off("resume", this.#pause);
    this.#socket.resume();
  }

  /** Only while a request is at work. */
  add(start: () => void, response: ServerResponse | undefined): void {
    const socket = this.#socket;
    if (this.isEmpty) {
      this.#hold(READ_BYTES);
      // Node resumes the socket after each request that it has parsed, and when an answer has drained.
      socket.on("resume", this.#pause);
      this.#pause();
      this.#connection.response!.once("close", this.#startNext);
    }
    this.#hold(REQUEST_BYTES);
    this.#waiting.push({ response, start });
    if (queuedBytes > MAX_QUEUED_BYTES) socket.destroy();
  }

  /** In place of a request that waits and will never be whole. */
  replaceLast(start: () => void): void {
    this.#waiting[this.#waiting.length - 1] = { response: undefined, start };
  }

  readonly #pause = (): void => {
    this.#socket.pause();
  };

  readonly #startNext = (): void => {
    const next = this.#waiting.shift();
    // After an answer with `Connection: close` the requests behind it are not carried out (RFC 9112 section 9.6).
    if (!next || !this.#socket.writable) {
      this.#clear();
      return;
    }
    this.#hold(-REQUEST_BYTES);
    const wasLast = this.isEmpty;
    if (wasLast) this.#clear();
    next.start();
    if (wasLast) this.#socket.resume();
    else this.#connection.response!.once("close", this.#startNext);
  };

  /** Counts what waits here, for this connection and for all of them. */
  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    queuedBytes += bytes;
  }

  readonly #clear = (): void => {
    this.#waiting = [];
    this.#socket.off("resume", this.#pause);
    this.#hold(-this.#heldBytes);
  };
}
