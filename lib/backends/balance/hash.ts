/**
 * Hashing for choices, not for secrets: FNV-1a over a text, and a mixer that spreads each bit of it (murmur3's finaliser). Both give
 * signed 32-bit numbers, which V8 keeps without a box.
 */

/** More of a value would tell two of them apart, and let a caller make us walk through 64 KB of it. */
const MAX_CHARS = 256;

export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  const end = Math.min(text.length, MAX_CHARS);
  for (let i = 0; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}

export function mix(bits: number): number {
  let hash = bits;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
