/** Random numbers that nobody needs to be unable to guess: which target, which share. Drawn for each request, so they must be cheap. */

/** From 0 up to, not including, 1. */
export type Random = () => number;

/** Marsaglia's xorshift with 32 bits of state. `seed` should differ between instances, so that they do not choose alike. */
export function createRandom(seed: Uint8Array): Random {
  // A state of 0 would stay 0.
  let state = seed.reduce((bits, byte) => (bits << 8) | byte, 0) || 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
