/** What every implementation of the key store must do. */
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { KeyRecord, Keys } from "#lib/stores/keys.ts";
import { answered } from "./answered.ts";

export interface KeysUnderTest {
  readonly keys: Keys;
  close(): Promise<void>;
}

function record(id: string, more: Partial<KeyRecord> = {}): KeyRecord {
  return { id, digest: `digest-${id}`, name: `Key ${id}`, consumer: "acme", hint: "fd_live_ab", createdMs: 1000, ...more };
}

/** `make` gives an empty store each time. */
export function keysContract(name: string, make: () => Promise<KeysUnderTest>): void {
  describe(`keys of ${name}`, () => {
    let subject: KeysUnderTest | undefined;
    let keys: Keys;
    beforeEach(async () => {
      await subject?.close();
      subject = await make();
      keys = subject.keys;
    });
    afterAll(() => subject?.close());
    const get = (digest: string) => answered(keys.get(digest));
    const ids = async (query: { consumer?: string; after?: string; limit: number }) => {
      const page = await answered(keys.list(query));
      return { ids: page.items.map((key) => key.id), next: page.next };
    };

    test("a record comes back as it was put, whatever it holds", async () => {
      const full = record("k1", {
        owner: "ann",
        scopes: [],
        tier: "pro",
        expiresMs: 5000,
        disabled: true,
        lastUsedMs: 3000,
        metadata: { note: "123", empty: {}, list: [], nested: { a: [1, null, "ü"] } },
      });
      await answered(keys.put(full));
      await answered(keys.put(record("k2")));
      expect(await get(full.digest)).toEqual(full);
      expect(await get("digest-k2")).toEqual(record("k2"));
      expect(await get("digest-none")).toBeUndefined();
    });

    test("putting a digest again replaces its record", async () => {
      await answered(keys.put(record("k1")));
      await answered(keys.put(record("k1", { name: "renamed", consumer: "globex" })));
      expect((await get("digest-k1"))?.name).toBe("renamed");
      expect((await ids({ limit: 10 })).ids).toEqual(["k1"]);
      expect((await ids({ limit: 10, consumer: "acme" })).ids).toEqual([]);
      expect((await ids({ limit: 10, consumer: "globex" })).ids).toEqual(["k1"]);
    });

    test("an id that gets another digest leaves the old one", async () => {
      await answered(keys.put(record("k1")));
      await answered(keys.put(record("k1", { digest: "digest-new" })));
      expect(await get("digest-k1")).toBeUndefined();
      expect((await get("digest-new"))?.id).toBe("k1");
      expect((await ids({ limit: 10 })).ids).toEqual(["k1"]);
    });

    test("lists are newest first, page by page, also by consumer", async () => {
      for (const [id, createdMs, consumer] of [
        ["a", 1000, "acme"],
        ["b", 3000, "globex"],
        ["c", 2000, "acme"],
        ["d", 2000, "acme"],
        ["e", 12_000, "acme"],
      ] as const) {
        await answered(keys.put(record(id, { createdMs, consumer })));
      }
      const first = await ids({ limit: 2 });
      expect(first.ids).toEqual(["e", "b"]);
      const second = await ids({ limit: 2, after: first.next! });
      expect(second.ids).toEqual(["d", "c"]);
      expect(await ids({ limit: 2, after: second.next! })).toEqual({ ids: ["a"], next: undefined });
      expect(await ids({ limit: 4, consumer: "acme" })).toEqual({ ids: ["e", "d", "c", "a"], next: undefined });
      const ofAcme = await ids({ limit: 1, consumer: "acme" });
      expect((await ids({ limit: 1, consumer: "acme", after: ofAcme.next! })).ids).toEqual(["d"]);
    });

    test("a page goes on where it stopped, though its last key was removed", async () => {
      for (const id of ["a", "b", "c"]) await answered(keys.put(record(id)));
      const { next } = await ids({ limit: 1 });
      await answered(keys.remove("c"));
      expect((await ids({ limit: 5, after: next! })).ids).toEqual(["b", "a"]);
    });

    test("a revoked key is returned with its time, and stays revoked whatever is put", async () => {
      const before = record("k1");
      await answered(keys.put(before));
      expect(await answered(keys.revoke("k1", 7000))).toBe(true);
      expect(await answered(keys.revoke("k1", 9000))).toBe(true);
      expect(await get("digest-k1")).toEqual({ ...before, revokedMs: 7000 });
      // An instance that read the record earlier writes it back.
      await answered(keys.put({ ...before, lastUsedMs: 8000 }));
      expect(await get("digest-k1")).toEqual({ ...before, lastUsedMs: 8000, revokedMs: 7000 });
      expect((await answered(keys.list({ limit: 5 }))).items).toEqual([{ ...before, lastUsedMs: 8000, revokedMs: 7000 }]);
      expect(await answered(keys.revoke("none", 7000))).toBe(false);
    });

    test("revocations since a time, oldest first", async () => {
      for (const [id, revokedMs] of [
        ["a", 3000],
        ["b", 1000],
        ["c", 2000],
      ] as const) {
        await answered(keys.put(record(id)));
        await answered(keys.revoke(id, revokedMs));
      }
      await answered(keys.put(record("d", { revokedMs: 2500 })));
      await answered(keys.put(record("e")));
      expect(await answered(keys.revokedSince(2000))).toEqual([
        { digest: "digest-c", revokedMs: 2000 },
        { digest: "digest-d", revokedMs: 2500 },
        { digest: "digest-a", revokedMs: 3000 },
      ]);
      expect(await answered(keys.revokedSince(3001))).toEqual([]);
    });

    test("a removed key is gone everywhere; removing none is no error", async () => {
      await answered(keys.put(record("k1")));
      await answered(keys.revoke("k1", 7000));
      await answered(keys.remove("k1"));
      await answered(keys.remove("k1"));
      expect(await get("digest-k1")).toBeUndefined();
      expect((await ids({ limit: 5 })).ids).toEqual([]);
      expect(await answered(keys.revokedSince(0))).toEqual([]);
      expect(await answered(keys.revoke("k1", 8000))).toBe(false);
    });
  });
}
