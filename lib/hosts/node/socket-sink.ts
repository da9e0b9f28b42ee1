/** An answer on a bare socket, for requests that node:http has no response for: those that its parser refuses, and CONNECT. */
import { STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http";
import type { Duplex } from "node:stream";
import type { Sink } from "../../contract/sink.ts";

/** How long a refused client has for reading the refusal and closing its end. */
const LINGER_MS = 5_000;

/** Reads and drops what still comes until the client closes its end. The timer ends with the socket, or it would hold its request in memory. */
export function linger(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once("close", () => clearTimeout(timer));
  socket.resume();
}

export class SocketSink implements Sink {
  onDrain: (() => void) | undefined = undefined;
  readonly #socket: Duplex;
  #onClose: ((complete: boolean) => void) | undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  set onClose(listener: (complete: boolean) => void) {
    this.#onClose = listener;
  }

  get closed(): boolean {
    return !this.#socket.writable;
  }

  head(status: number, _statusText: string, pairs: string[]): void {
    let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nDate: ${new Date().toUTCString()}\r\nConnection: close\r\n`;
    for (let i = 0; i < pairs.length; i += 2) {
      const [name, value] = [pairs[i]!, pairs[i + 1]!];
      validateHeaderName(name);
      validateHeaderValue(name, value);
      text += `${name}: ${value}\r\n`;
    }
    this.#socket.write(`${text}\r\n`, "latin1");
  }

  flush(): void {}

  write(chunk: Uint8Array): boolean {
    return this.#socket.write(chunk);
  }

  /**
   * The client reads the answer before the connection goes: closed while bytes of it are unread, the connection would be reset, and the
   * answer lost with it (RFC 9112 section 9.6).
   */
  end(chunk?: Uint8Array | string): void {
    const socket = this.#socket;
    socket.end(chunk ?? "", (error?: Error | null) => this.#onClose?.(!error));
    linger(socket);
  }

  destroy(): void {
    this.#socket.destroy();
    this.#onClose?.(false);
  }
}
