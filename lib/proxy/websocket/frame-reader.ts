/**
 * Follows the frames of one direction of a conversation (RFC 6455 section 5.2). It reads headers and lets payloads pass. Held back
 * are a header that came in pieces, a control frame (at most 125 bytes), and, where asked for, a compressed message.
 */
import { BINARY, CLOSE, CONTINUATION, MAX_CONTROL_BYTES, PONG, TEXT, unmask } from "./control-frame.ts";

export interface FrameRules {
  /** Section 5.1: frames of a client are masked, those of a server never. */
  readonly isMasked: boolean;
  /** The largest message as it stands on the wire, all its frames together. */
  readonly maxMessageBytes: number;
  /** RSV1 marks a compressed message where permessage-deflate was agreed (RFC 7692 section 6); elsewhere it is an error. */
  readonly allowsRsv1: boolean;
  /** Compressed messages go to the listener one by one and whole. */
  readonly holdsCompressed: boolean;
}

/** Why the connection must be failed, and the status code that says so (section 7.4.1). */
export interface FrameFault {
  readonly code: 1002 | 1009;
  readonly what: string;
}

export interface FrameListener {
  /** Bytes of data frames, to be passed on as they are. */
  data(bytes: Buffer): void;
  /** A whole control frame: as it came, and what it says. */
  control(opcode: number, frame: Buffer, payload: Uint8Array): void;
  /** All frames of a compressed message. Nothing is read after it until `read` is called again. */
  compressed(message: Buffer): void;
}

const EMPTY = Buffer.alloc(0);

export class FrameReader {
  /** Set: nothing is read after the frame that is passing. A Close is the last frame by itself. */
  isOver = false;
  readonly #rules: FrameRules;
  /** What has come of a header or control frame that is not complete. */
  #held = EMPTY;
  /** Bytes of the passing frame that have not come yet. */
  #payloadLeft = 0;
  #messageBytes = 0;
  #isInMessage = false;
  /** What has come of a compressed message. */
  #compressed: Buffer[] | undefined;

  constructor(rules: FrameRules) {
    this.#rules = rules;
  }

  /** True where frames of others may be put in between. */
  get isBetweenFrames(): boolean {
    return this.#payloadLeft === 0 || this.#compressed !== undefined;
  }

  read(chunk: Buffer, listener: FrameListener): FrameFault | undefined {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = EMPTY;
    /** Data frames that stand one after the other leave as one: those from `start` to `at`. */
    let start = 0;
    let at = 0;
    const pass = () => {
      if (at === start) return;
      // A copy: a slice would keep the whole chunk.
      if (this.#compressed) this.#compressed.push(Buffer.from(bytes.subarray(start, at)));
      else listener.data(bytes.subarray(start, at));
    };
    for (;;) {
      const passing = Math.min(this.#payloadLeft, bytes.length - at);
      this.#payloadLeft -= passing;
      at += passing;
      if (this.#compressed && this.#payloadLeft === 0 && !this.#isInMessage) {
        pass();
        const message = Buffer.concat(this.#compressed);
        this.#compressed = undefined;
        this.#held = Buffer.from(bytes.subarray(at));
        listener.compressed(message);
        return undefined;
      }
      if (this.isOver || at === bytes.length) break;
      const frame = readHeader(bytes, at);
      const fault = frame && this.#faultOf(frame);
      if (fault) {
        this.isOver = true;
        pass();
        return fault;
      }
      if (!frame || (frame.isControl && frame.end > bytes.length)) {
        this.#held = Buffer.from(bytes.subarray(at));
        break;
      }
      if (frame.isControl) {
        pass();
        this.isOver = frame.opcode === CLOSE;
        listener.control(frame.opcode, bytes.subarray(at, frame.end), payloadOf(bytes, frame));
        at = frame.end;
        start = at;
      } else {
        if (frame.rsv === RSV1 && this.#rules.holdsCompressed) {
          pass();
          start = at;
          this.#compressed = [];
        }
        this.#messageBytes = frame.isFinal ? 0 : this.#messageBytes + frame.length;
        this.#isInMessage = !frame.isFinal;
        this.#payloadLeft = frame.length;
        at = frame.payloadAt;
      }
    }
    pass();
    return undefined;
  }

  #faultOf(frame: Frame): FrameFault | undefined {
    const { opcode, isFinal, isControl, length } = frame;
    const { isMasked, allowsRsv1, maxMessageBytes } = this.#rules;
    if (!frame.isShortest) return { code: 1002, what: "a length has more bytes than it needs" };
    if (frame.isMasked !== isMasked) return { code: 1002, what: isMasked ? "a frame is not masked" : "a frame is masked" };
    if (isControl) {
      if (opcode > PONG) return { code: 1002, what: "a frame has a reserved opcode" };
      if (frame.rsv !== 0) return { code: 1002, what: "a control frame has a reserved bit" };
      if (!isFinal) return { code: 1002, what: "a control frame is fragmented" };
      if (length > MAX_CONTROL_BYTES) return { code: 1002, what: "a control frame has more than 125 bytes" };
      if (opcode === CLOSE && length === 1) return { code: 1002, what: "a Close frame has half a status code" };
      return undefined;
    }
    if (opcode !== CONTINUATION && opcode !== TEXT && opcode !== BINARY) {
      return { code: 1002, what: "a frame has a reserved opcode" };
    }
    // Only the first frame of a message says that it is compressed.
    if (frame.rsv !== 0 && !(frame.rsv === RSV1 && allowsRsv1 && opcode !== CONTINUATION)) {
      return { code: 1002, what: "a frame has a reserved bit that no extension was agreed for" };
    }
    if ((opcode === CONTINUATION) !== this.#isInMessage) {
      return { code: 1002, what: this.#isInMessage ? "a message begins inside another" : "a message continues that never began" };
    }
    if (this.#messageBytes + length > maxMessageBytes) {
      return { code: 1009, what: `a message has more than ${maxMessageBytes} bytes` };
    }
    return undefined;
  }
}

interface Frame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly isControl: boolean;
  readonly rsv: number;
  readonly isMasked: boolean;
  readonly length: number;
  /** The length stands in as few bytes as it can (section 5.2). */
  readonly isShortest: boolean;
  readonly payloadAt: number;
  readonly end: number;
}

const RSV1 = 0x40;

/** Undefined where the header has not come whole. */
function readHeader(bytes: Buffer, at: number): Frame | undefined {
  if (bytes.length < at + 2) return undefined;
  const first = bytes[at]!;
  const second = bytes[at + 1]!;
  const isMasked = (second & 0x80) !== 0;
  let length = second & 0x7f;
  const lengthBytes = length === 126 ? 2 : length === 127 ? 8 : 0;
  const payloadAt = at + 2 + lengthBytes + (isMasked ? 4 : 0);
  if (bytes.length < payloadAt) return undefined;
  if (lengthBytes === 2) length = bytes.readUInt16BE(at + 2);
  // Past 2^53 it is not exact, and past 2^63 not allowed; no limit is that high.
  else if (lengthBytes === 8) length = bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6);
  return {
    opcode: first & 0x0f,
    isFinal: (first & 0x80) !== 0,
    isControl: (first & 0x08) !== 0,
    rsv: first & 0x70,
    isMasked,
    length,
    isShortest: length > (lengthBytes === 8 ? 0xffff : lengthBytes === 2 ? 125 : -1),
    payloadAt,
    end: payloadAt + length,
  };
}

/** The payloads of a message's frames, which follow each other, as one. */
export function payloadOfMessage(frames: Buffer): Buffer {
  const payloads: Uint8Array[] = [];
  for (let at = 0; at < frames.length; ) {
    const frame = readHeader(frames, at)!;
    payloads.push(payloadOf(frames, frame));
    at = frame.end;
  }
  return Buffer.concat(payloads);
}

function payloadOf(bytes: Buffer, { isMasked, payloadAt, end }: Frame): Uint8Array {
  const payload = bytes.subarray(payloadAt, end);
  return isMasked ? unmask(payload, bytes.subarray(payloadAt - 4, payloadAt)) : payload;
}
