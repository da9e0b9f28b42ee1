/** Against the vectors of the reference implementation (vectors_sip128): key 00 01 … 0f, texts 00 01 … of growing length. */
import { expect, test } from "vitest";
import { SipHash } from "#lib/authenticators/sip-hash.ts";

const counting = (length: number) => Uint8Array.from({ length }, (_, index) => index);

test.each([
  [0, "a3817f04ba25a8e66df67214c7550293"],
  [1, "da87c1d86b99af44347659119b22fc45"],
  [2, "8177228da4a45dc7fca38bdef60affe4"],
  [3, "9c70b60c5267a94e5f33b6b02985ed51"],
  [4, "f88164c12d9c8faf7d0f6e7c7bcd5579"],
  [5, "1368875980776f8854527a07690e9627"],
  [6, "14eeca338b208613485ea0308fd7a15e"],
  [7, "a1f1ebbed8dbc153c0b84aa61ff08239"],
  [8, "3b62a9ba6258f5610f83e264f31497b4"],
  [15, "5493e99933b0a8117e08ec0f97cfc3d9"],
])("%d bytes", (length, expected) => {
  const sipHash = new SipHash(counting(16));
  const result = new Int32Array(4);
  // What was hashed before leaves nothing behind.
  sipHash.hash("a longer text than any of these", result);
  sipHash.hash(Buffer.from(counting(length)).toString("latin1"), result);
  expect(Buffer.from(result.buffer).toString("hex")).toBe(expected);
});

test("every key has other results", () => {
  const of = (key: Uint8Array) => {
    const result = new Int32Array(4);
    new SipHash(key).hash("a credential", result);
    return [...result];
  };
  const key = counting(16);
  const results = Array.from({ length: 128 }, (_, bit) => {
    const other = key.slice();
    other[bit >> 3]! ^= 1 << (bit & 7);
    return of(other);
  });
  expect(new Set([of(key), ...results].map(String)).size).toBe(129);
  expect(of(Buffer.from(key))).toEqual(of(key));
});
