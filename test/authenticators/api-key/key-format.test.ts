import { createHash, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { KeyFormat, randomText } from "#lib/authenticators/api-key/key-format.ts";
import { digestOf } from "#lib/crypto/credential-digest.ts";

const format = new KeyFormat("shop");
const random = (bytes: number) => new Uint8Array(randomBytes(bytes));

describe("a key", () => {
  const { key, digest, hint } = format.make(random);

  test("has its prefix, one word for a double click, and a checksum", () => {
    expect(key).toMatch(/^shop_live_[0-9A-Za-z]{36}$/);
    expect(format.fits(key)).toBe(true);
  });

  test("is known by its SHA-256, and shown by its first characters", () => {
    expect(digest).toBe(createHash("sha256").update(key).digest("base64url"));
    expect(digestOf(key)).toBe(digest);
    expect(hint).toBe(`${key.slice(0, 14)}…`);
  });

  test("is another each time", () => {
    expect(new Set(Array.from({ length: 1000 }, () => format.make(random).key)).size).toBe(1000);
  });

  test("with any one character changed, left out, doubled or swapped is none", () => {
    for (let at = 0; at < key.length; at++) {
      const [before, char, after] = [key.slice(0, at), key[at]!, key.slice(at + 1)];
      expect(format.fits(before + (char === "x" ? "y" : "x") + after)).toBe(false);
      expect(format.fits(before + after)).toBe(false);
      expect(format.fits(before + char + char + after)).toBe(false);
      const swapped = before + (after[0] ?? "") + char + after.slice(1);
      if (swapped !== key) expect(format.fits(swapped)).toBe(false);
    }
  });

  test.each([
    ["shop_live_", ""],
    [" ", ""],
    ["", "\n"],
    ["", "\0"],
    ["Bearer ", ""],
  ])("with %j before or %j behind it is none", (before, behind) => {
    expect(format.fits(before + key + behind)).toBe(false);
  });

  test("of another prefix is none", () => {
    expect(new KeyFormat("fd").fits(key)).toBe(false);
    expect(new KeyFormat("sho").fits(key)).toBe(false);
  });

  test("the checksum is the CRC-32 of what stands before it, as GitHub's is", () => {
    // Fixed, so that keys that were handed out stay good.
    const zeros = new KeyFormat("fd").make((bytes) => new Uint8Array(bytes));
    expect(zeros.key).toBe("fd_live_00000000000000000000000000000047IqaQ");
  });
});

test("random text has each character as often as another", () => {
  const counts = new Map<string, number>();
  // 248 bytes are used of 256: four of each character.
  let next = 0;
  const everyByte = (bytes: number) => Uint8Array.from({ length: bytes }, () => next++ % 256);
  for (const char of randomText(248, everyByte)) counts.set(char, (counts.get(char) ?? 0) + 1);
  expect(counts.size).toBe(62);
  expect([...new Set(counts.values())]).toEqual([4]);
});
