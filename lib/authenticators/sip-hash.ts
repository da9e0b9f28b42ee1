/**
 * SipHash-2-4 with a result of 128 bits (Aumasson and Bernstein, "SipHash: a fast short-input PRF", and its reference code): whoever
 * does not know the key can't find two texts of one result. For some hundred bytes it costs less than a call into OpenSSL, most of
 * which is the way there and back.
 */

/** Longer ones are not for it. */
export const MAX_LENGTH = 1024;
/** In UTF-8 a unit of UTF-16 takes up to 3 bytes. */
const MAX_BYTES = 3 * MAX_LENGTH;

export class SipHash {
  readonly #key: Int32Array;
  readonly #bytes = Buffer.alloc(MAX_BYTES + 8);
  readonly #words = new Int32Array(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length / 4);

  /** The key has 16 bytes. */
  constructor(key: Uint8Array) {
    // A copy: a Buffer, and its slices, may be part of a larger piece of memory.
    this.#key = new Int32Array(Uint8Array.from(key).buffer);
  }

  /** Writes the hash of at most MAX_LENGTH characters to `result`, as four words. */
  hash(text: string, result: Int32Array): void {
    const length = this.#bytes.write(text);
    // Blocks of 8 bytes; the last one is never full, and ends with the length.
    const end = (length & ~7) + 8;
    this.#bytes.fill(0, length, end);
    this.#bytes[end - 1] = length;
    mix(this.#words, end / 8, this.#key, result);
  }
}

/** Each word of 64 bits (v0 to v3 of the paper are a to d) is two of 32 here, the lower one first. */
function mix(words: Int32Array, blocks: number, key: Int32Array, result: Int32Array): void {
  let a0 = key[0]! ^ 0x70736575;
  let a1 = key[1]! ^ 0x736f6d65;
  let b0 = key[2]! ^ 0x6e646f6d ^ 0xee;
  let b1 = key[3]! ^ 0x646f7261;
  let c0 = key[0]! ^ 0x6e657261;
  let c1 = key[1]! ^ 0x6c796765;
  let d0 = key[2]! ^ 0x79746573;
  let d1 = key[3]! ^ 0x74656462;
  let low = 0;
  let high = 0;
  // Two rounds for each block, then as if there were four of zeros: the result's halves come after the second and the fourth.
  for (let block = 0; block < blocks + 4; block++) {
    const isText = block < blocks;
    const m0 = isText ? words[2 * block]! : 0;
    const m1 = isText ? words[2 * block + 1]! : 0;
    if (block === blocks) c0 ^= 0xee;
    if (block === blocks + 2) {
      result[0] = a0 ^ b0 ^ c0 ^ d0;
      result[1] = a1 ^ b1 ^ c1 ^ d1;
      b0 ^= 0xdd;
    }
    d0 ^= m0;
    d1 ^= m1;
    for (let round = 0; round < 2; round++) {
      low = (a0 + b0) | 0;
      a1 = (a1 + b1 + carry(a0, b0, low)) | 0;
      a0 = low;
      low = (b0 << 13) | (b1 >>> 19);
      b1 = ((b1 << 13) | (b0 >>> 19)) ^ a1;
      b0 = low ^ a0;
      low = (c0 + d0) | 0;
      c1 = (c1 + d1 + carry(c0, d0, low)) | 0;
      c0 = low;
      low = (d0 << 16) | (d1 >>> 16);
      d1 = ((d1 << 16) | (d0 >>> 16)) ^ c1;
      d0 = low ^ c0;
      // A turn by 32 bits swaps the halves of a, and below those of c.
      low = (a1 + d0) | 0;
      high = (a0 + d1 + carry(a1, d0, low)) | 0;
      a0 = low;
      a1 = high;
      low = (d0 << 21) | (d1 >>> 11);
      d1 = ((d1 << 21) | (d0 >>> 11)) ^ a1;
      d0 = low ^ a0;
      low = (c0 + b0) | 0;
      high = (c1 + b1 + carry(c0, b0, low)) | 0;
      c0 = high;
      c1 = low;
      low = (b0 << 17) | (b1 >>> 15);
      b1 = ((b1 << 17) | (b0 >>> 15)) ^ c0;
      b0 = low ^ c1;
    }
    a0 ^= m0;
    a1 ^= m1;
  }
  result[2] = a0 ^ b0 ^ c0 ^ d0;
  result[3] = a1 ^ b1 ^ c1 ^ d1;
}

/** Of a sum of two words, without a branch, which would be guessed wrong every other time. */
function carry(x: number, y: number, sum: number): number {
  return ((x & y) | ((x | y) & ~sum)) >>> 31;
}
