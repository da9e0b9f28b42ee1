/** Frames of the gateway's own: Ping and Close (RFC 6455 section 5.5). Everything else in a conversation is the parties' own. */
import { randomBytes } from "node:crypto";

export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

export const MAX_CONTROL_BYTES = 125;

/** Frames to a backend are masked with a key that nobody can foresee (section 5.3), frames to a client never. */
export function controlFrame(opcode: number, payload: Uint8Array, isMasked: boolean): Buffer {
  const head = Buffer.from([0x80 | opcode, (isMasked ? 0x80 : 0) | payload.length]);
  if (!isMasked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, unmask(payload, mask)]);
}

/** The status code and its words (section 5.5.1). */
export function closeFrame(code: number, reason: string, isMasked: boolean): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return controlFrame(CLOSE, payload, isMasked);
}

/** Masking and unmasking are one (section 5.3). */
export function unmask(payload: Uint8Array, mask: Uint8Array): Uint8Array {
  return payload.map((byte, index) => byte ^ mask[index & 3]!);
}
