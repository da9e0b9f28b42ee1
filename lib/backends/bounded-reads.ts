/**
 * How connections to backends are read: in small pieces, and not further ahead than one of them. By itself Node reads 64 KB at a time
 * and as much again ahead, which a thousand callers that stop reading turn into 130 MB.
 */
import type { OnReadOpts, Socket } from "node:net";

const READ_BYTES = 8 * 1024;
/** Smaller pieces are cut from shared blocks. A large one that waits for a slow caller would keep its whole block alive. */
const BLOCK_BYTES = 4 * 1024;
/** Of all connections: it is copied from before the next read. */
const buffer = Buffer.allocUnsafeSlow(READ_BYTES);

const onread: OnReadOpts = {
  buffer,
  callback(bytes) {
    const piece = bytes < BLOCK_BYTES ? Buffer.allocUnsafe(bytes) : Buffer.allocUnsafeSlow(bytes);
    buffer.copy(piece, 0, 0, bytes);
    // Node calls it on the socket; false stops the reading until what was read is taken.
    return (this as unknown as Socket).push(piece);
  },
};

/** For undici's `connect`, which hands on what it does not know to `net.connect` and `tls.connect`. */
export const boundedReads: object = {
  onread,
  readableHighWaterMark: READ_BYTES,
  // Undici's own would stand above the one for reading.
  highWaterMark: undefined,
};
