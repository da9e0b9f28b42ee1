/** WebSocket frames for tests, as a client or a server writes them. */

interface FrameParts {
  readonly opcode: number;
  readonly payload?: Uint8Array;
  readonly final?: boolean;
  readonly masked?: boolean;
  readonly rsv?: number;
}

/** Any frame, right or wrong (RFC 6455 section 5.2). */
export function frame({ opcode, payload = new Uint8Array(), final = true, masked = true, rsv = 0 }: FrameParts): Buffer {
  const size = payload.length;
  const bits = size < 126 ? [size] : size < 65_536 ? [126, size >> 8, size & 255] : [127, 0, 0, 0, 0, ...uint32(size)];
  bits[0]! |= masked ? 0x80 : 0;
  const mask = masked ? [1, 2, 3, 4] : [];
  const body = masked ? payload.map((byte, index) => byte ^ mask[index & 3]!) : payload;
  return Buffer.concat([Buffer.from([(final ? 0x80 : 0) | rsv | opcode, ...bits, ...mask]), body]);
}

function uint32(value: number): number[] {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return [...bytes];
}
