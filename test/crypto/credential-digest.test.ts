/** A digest is SHA-256, whether it is computed or was kept. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { digestOf } from "#lib/crypto/credential-digest.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("base64url");

test("of any text, and of those that differ from it by little", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 3000 }),
    // What decoding gives that is no text.
    fc.string({ unit: fc.constantFrom("a", "\0", "ÿ", "\ud800", "\udfff"), maxLength: 30 }),
  );
  fc.assert(
    fc.property(text, fc.nat(), (one, at) => {
      const place = at % (one.length + 1);
      const others = [`${one}\0`, one.slice(0, place), `${one.slice(0, place)}x${one.slice(place)}`];
      for (const each of [one, ...others, one, ...others]) expect(digestOf(each)).toBe(sha256(each));
    }),
  );
});

test("of more credentials than are kept, again and again", () => {
  const credentials = Array.from({ length: 40_000 }, (_, index) => `fd_live_${index}`);
  const expected = credentials.map(sha256);
  for (let round = 0; round < 2; round++) expect(credentials.map(digestOf)).toEqual(expected);
});
