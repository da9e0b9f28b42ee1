/**
 * An open WebSocket conversation: frames go both ways untouched, each side no faster than the other takes them. The gateway adds
 * only what keeps dead connections from staying (Ping), and a Close where it must end the conversation itself. Steps that see or
 * change bodies see no frames.
 */
import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { type Inflated, measure } from "./compression.ts";
import { CLOSE, closeFrame, controlFrame, PING, PONG } from "./control-frame.ts";
import { type FrameListener, FrameReader } from "./frame-reader.ts";

/** A side that said nothing for so long is asked for a sign of life, and given up when none has come after as long again. */
export const PING_INTERVAL_MS = 30_000;
/** From the first Close (or the loss of one side) to the end of both connections. */
export const CLOSE_TIMEOUT_MS = 10_000;

export interface TunnelOptions {
  readonly client: Duplex;
  readonly backend: Duplex;
  /** For messages of the client; a backend's answers have no limit, as over HTTP. */
  readonly maxMessageBytes: number;
  /** permessage-deflate was agreed on. */
  readonly isCompressed: boolean;
  /** The conversation ends after so long without a frame of either side; undefined: never. */
  readonly idleMs: number | undefined;
  /** The conversation ends after so long, whatever is said; undefined: never. */
  readonly lifeMs: number | undefined;
  onBytes(from: "client" | "backend", bytes: number): void;
  /** Once, when both connections are gone. `reason` is why the gateway ended it. */
  onEnd(isClean: boolean, reason: string | undefined): void;
}

interface Side {
  readonly name: "client" | "backend";
  readonly socket: Duplex;
  readonly reader: FrameReader;
  /** Frames to it are masked. */
  readonly isServer: boolean;
  /** It has sent its Close, which was passed on. */
  hasClosed: boolean;
  /** Our own Close, waiting for the end of the frame that is on its way to it. */
  lastWord: Buffer | undefined;
  /** Since the last tick. */
  hasStirred: boolean;
  isAwaited: boolean;
  /** A compressed message of it is being measured: nothing else of it is read. */
  isMeasuring: boolean;
  isGone: boolean;
}

/** By what an answer to our own Ping is told from one to the other side's: it is not passed on. */
const PING_PAYLOAD = randomBytes(8);
const NOTHING = Buffer.alloc(0);

export class WebSocketTunnel {
  readonly #options: TunnelOptions;
  readonly #client: Side;
  readonly #backend: Side;
  readonly #ticker: NodeJS.Timeout;
  readonly #idle: NodeJS.Timeout | undefined;
  readonly #life: NodeJS.Timeout | undefined;
  #closing: NodeJS.Timeout | undefined;
  #reason: string | undefined;

  constructor(options: TunnelOptions) {
    const { client, backend, maxMessageBytes, isCompressed: allowsRsv1, idleMs, lifeMs } = options;
    this.#options = options;
    this.#client = openSide("client", client, { isMasked: true, maxMessageBytes, allowsRsv1, holdsCompressed: true });
    const rules = { isMasked: false, maxMessageBytes: Number.MAX_SAFE_INTEGER, allowsRsv1, holdsCompressed: false };
    this.#backend = openSide("backend", backend, rules);
    this.#ticker = setInterval(() => this.#tick(), PING_INTERVAL_MS);
    if (idleMs !== undefined) this.#idle = setTimeout(() => this.close(1001, "idle time-out"), idleMs);
    if (lifeMs !== undefined) this.#life = setTimeout(() => this.close(1001, "total time-out"), lifeMs);
    this.#join(this.#client, this.#backend);
    this.#join(this.#backend, this.#client);
  }

  /** Ends the conversation from here: both sides are told, and both connections end soon whether they answer or not. */
  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#reason = reason;
    this.#say(this.#client, code, reason);
    this.#say(this.#backend, code, reason);
    this.#bound();
  }

  #join(from: Side, to: Side): void {
    const { socket } = from;
    const { maxMessageBytes } = this.#options;
    const read = (chunk: Buffer) => {
      const fault = from.reader.read(chunk, listener);
      if (fault) this.#fail(from, to, fault.code, fault.what);
      if (to.lastWord && from.reader.isBetweenFrames) end(to, to.lastWord);
      if (to.socket.writableNeedDrain) socket.pause();
    };
    const onMeasured = (message: Buffer, result: Inflated) => {
      from.isMeasuring = false;
      if (result === "fits") pass(message);
      else if (result === "too large") this.#fail(from, to, 1009, `a message has more than ${maxMessageBytes} bytes`);
      else this.#fail(from, to, 1002, "a compressed message can't be inflated");
      read(NOTHING);
      if (!to.socket.writableNeedDrain) resume(from);
    };
    const pass = (bytes: Buffer) => {
      this.#idle?.refresh();
      write(to, bytes);
    };
    const listener: FrameListener = {
      data: pass,
      control: (opcode, frame, payload) => {
        if (opcode === PONG && PING_PAYLOAD.equals(payload)) return;
        pass(frame);
        if (opcode === CLOSE) this.#onClose(from, to);
      },
      compressed: (message) => {
        from.isMeasuring = true;
        socket.pause();
        measure(message, maxMessageBytes, (result) => onMeasured(message, result));
      },
    };
    socket.on("data", (chunk: Buffer) => {
      from.hasStirred = true;
      this.#options.onBytes(from.name, chunk.length);
      read(chunk);
    });
    socket.on("drain", () => {
      from.hasStirred = true;
      resume(to);
    });
    socket.on("end", () => {
      if (!from.hasClosed) this.#lose(from, to);
    });
    socket.on("close", () => {
      from.isGone = true;
      this.#lose(from, to);
      if (to.isGone) this.#end();
    });
    socket.on("error", () => socket.destroy());
    socket.resume();
  }

  /** A Close was passed on. The second one ends both connections: a server's part, which we play on both sides (section 7.1.1). */
  #onClose(from: Side, to: Side): void {
    from.hasClosed = true;
    this.#bound();
    if (!to.hasClosed) return;
    end(from);
    end(to);
  }

  /** Section 7.1.7: the sender is told what it did, the other side that the conversation is over. */
  #fail(from: Side, to: Side, code: number, what: string): void {
    if (this.#closing) return;
    this.#reason = `the ${from.name} broke the protocol: ${what}`;
    this.#say(from, code, what);
    this.#say(to, 1001, "");
    this.#bound();
  }

  /** A connection is gone or half gone. The other ends as it would have without a gateway: with no Close where there was none. */
  #lose(from: Side, to: Side): void {
    this.#bound();
    end(from);
    end(to);
  }

  /** Sends a Close of our own, as soon as no frame of the other side is in the middle, and nothing after it. */
  #say(to: Side, code: number, reason: string): void {
    const from = this.#other(to);
    from.reader.isOver = true;
    to.lastWord = closeFrame(code, reason, to.isServer);
    if (from.reader.isBetweenFrames) end(to, to.lastWord);
  }

  #tick(): void {
    if (this.#closing) return;
    for (const side of [this.#client, this.#backend]) {
      const { socket, name } = side;
      if (side.hasStirred || socket.isPaused()) {
        side.hasStirred = false;
        side.isAwaited = false;
      } else if (side.isAwaited) {
        this.close(1001, `the ${name} gives no sign of life`);
        // It would not answer a Close either.
        socket.destroy();
        return;
      } else if (this.#other(side).reader.isBetweenFrames) {
        write(side, controlFrame(PING, PING_PAYLOAD, side.isServer));
        side.isAwaited = true;
      } else {
        // In the middle of a frame no Ping can be put; that it takes the rest of it is the sign then.
        side.isAwaited = socket.writableNeedDrain;
      }
    }
  }

  #other(side: Side): Side {
    return side === this.#client ? this.#backend : this.#client;
  }

  /** From here on both connections have a bounded time. What still comes is read, so that a reset does not overtake our last words. */
  #bound(): void {
    clearInterval(this.#ticker);
    clearTimeout(this.#idle);
    clearTimeout(this.#life);
    this.#closing ??= setTimeout(() => {
      this.#client.socket.destroy();
      this.#backend.socket.destroy();
    }, CLOSE_TIMEOUT_MS);
    resume(this.#client);
    resume(this.#backend);
  }

  #end(): void {
    clearTimeout(this.#closing);
    this.#options.onEnd(this.#client.hasClosed && this.#backend.hasClosed, this.#reason);
  }
}

function openSide(name: Side["name"], socket: Duplex, rules: ConstructorParameters<typeof FrameReader>[0]): Side {
  return {
    name,
    socket,
    reader: new FrameReader(rules),
    isServer: name === "backend",
    hasClosed: false,
    lastWord: undefined,
    hasStirred: false,
    isAwaited: false,
    isMeasuring: false,
    isGone: false,
  };
}

function resume({ socket, isMeasuring }: Side): void {
  if (!isMeasuring) socket.resume();
}

function write({ socket }: Side, bytes: Uint8Array): void {
  if (socket.writable) socket.write(bytes);
}

function end({ socket }: Side, lastWord?: Uint8Array): void {
  if (!socket.writable) return;
  if (lastWord) socket.end(lastWord);
  else socket.end();
}
