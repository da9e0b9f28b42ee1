/** What every implementation of blobs must do. */
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { Blobs } from "#lib/contract/stores/blobs.ts";
import { answered } from "./answered.ts";

export interface BlobsUnderTest {
  readonly blobs: Blobs;
  close(): Promise<void>;
}

const NOW_MS = 1_800_000_000_000;
const TTL_MS = 3_600_000;
const bytes = (text: string) => new TextEncoder().encode(text);

/** `make` gives an empty store each time. */
export function blobsContract(name: string, make: () => Promise<BlobsUnderTest>): void {
  describe(`blobs of ${name}`, () => {
    let subject: BlobsUnderTest | undefined;
    let blobs: Blobs;
    beforeEach(async () => {
      await subject?.close();
      subject = await make();
      blobs = subject.blobs;
    });
    afterAll(() => subject?.close());
    const set = (key: string, value: Uint8Array, tags?: readonly string[], ttlMs = TTL_MS) =>
      answered(blobs.set(key, value, tags ? { ttlMs, tags } : { ttlMs }, NOW_MS));
    const get = (key: string, nowMs = NOW_MS) => answered(blobs.get(key, nowMs));
    const has = async (...keys: string[]) => Promise.all(keys.map(async (key) => (await get(key)) !== undefined));

    test("every byte comes back, with the time at which it ends", async () => {
      const all = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256);
      await set("all", all);
      const blob = await get("all");
      expect(blob?.expiresMs).toBe(NOW_MS + TTL_MS);
      expect(Buffer.from(blob!.value).equals(all)).toBe(true);
      await set("none", new Uint8Array());
      expect((await get("none"))?.value).toHaveLength(0);
      expect(await get("never set")).toBeUndefined();
    });

    test("a part of a larger buffer is stored alone, and later changes to it are not", async () => {
      const large = bytes("xx-value-xx");
      await set("view", large.subarray(3, 8));
      large.fill(0);
      expect(Buffer.from((await get("view"))!.value).toString()).toBe("value");
    });

    test("a value ends with its time", async () => {
      await set("ends", bytes("v"));
      expect(await get("ends", NOW_MS + TTL_MS - 1)).toBeDefined();
      expect(await get("ends", NOW_MS + TTL_MS)).toBeUndefined();
    });

    test("setting again replaces value and end", async () => {
      await set("again", bytes("one"));
      await set("again", bytes("two"), undefined, 2 * TTL_MS);
      const blob = await get("again");
      expect(Buffer.from(blob!.value).toString()).toBe("two");
      expect(blob!.expiresMs).toBe(NOW_MS + 2 * TTL_MS);
    });

    test("delete, and deleting what is not there", async () => {
      await set("gone", bytes("v"));
      await answered(blobs.delete("gone"));
      await answered(blobs.delete("gone"));
      expect(await get("gone")).toBeUndefined();
    });

    test("by tag: all that carry it, and nothing else", async () => {
      await set("a", bytes("1"), ["shop", "p:1"]);
      await set("b", bytes("2"), ["shop"]);
      await set("c", bytes("3"), ["p:1"]);
      await set("d", bytes("4"));
      expect(await answered(blobs.deleteByTag("shop"))).toBe(2);
      expect(await has("a", "b", "c", "d")).toEqual([false, false, true, true]);
      expect(await answered(blobs.deleteByTag("shop"))).toBe(0);
      expect(await answered(blobs.deleteByTag("never"))).toBe(0);
      await set("a", bytes("1"), ["shop"]);
      expect(await answered(blobs.deleteByTag("shop"))).toBe(1);
    });

    test("by prefix: also where it holds characters of patterns", async () => {
      const keys = ["cache:/a/1", "cache:/a/2", "cache:/b", "cache:*x", "cache:[y]", "cache:\\z"];
      for (const key of keys) await set(key, bytes("v"));
      expect(await answered(blobs.deleteByPrefix("cache:/a/"))).toBe(2);
      expect(await answered(blobs.deleteByPrefix("cache:*"))).toBe(1);
      expect(await answered(blobs.deleteByPrefix("cache:["))).toBe(1);
      expect(await answered(blobs.deleteByPrefix("cache:\\"))).toBe(1);
      expect(await has(...keys)).toEqual([false, false, true, false, false, false]);
    });

    test("more than one batch goes by tag and by prefix", async () => {
      const keys = Array.from({ length: 2500 }, (_, index) => `many:${index}`);
      await Promise.all(keys.map((key) => set(key, bytes("v"), ["many"])));
      expect(await answered(blobs.deleteByTag("many"))).toBe(2500);
      await Promise.all(keys.map((key) => set(key, bytes("v"))));
      expect(await answered(blobs.deleteByPrefix("many:"))).toBe(2500);
    });
  });
}
