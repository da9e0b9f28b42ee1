/** One piece of memory for bytes that are kept. Node cuts small buffers out of blocks of several KB: a body of two bytes would keep its block alive, uncounted. */
export function ownBytes(chunks: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.allocUnsafeSlow(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let end = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, end);
    end += chunk.length;
  }
  return bytes;
}
