/** What every implementation of the key store must do. */
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { type KeyRecord, type Keys, MAX_CHANGES } from "#lib/contract/stores/keys.ts";
import { answered } from "./answered.ts";

export interface KeysUnderTest {
  readonly keys: Keys;
  close(): Promise<void>;
}

function record(id: string, more: Partial<KeyRecord> = {}): KeyRecord {
  return {
    id,
    version: 1,
    digest: `digest-${id}`,
    name: `Key ${id}`,
    consumer: "acme",
    hint: "fd_live_ab",
    createdMs: 1000,
    ...more,
  };
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
        allowedIps: ["192.0.2.0/24"],
        allowedRoutes: ["/a/*"],
        rotation: { successor: "k2", rotatedMs: 2000, sunsetMs: 9000, quietMs: 500 },
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

    test("a key is found by its id", async () => {
      await answered(keys.put(record("k1")));
      await answered(keys.revoke("k1", 7000));
      expect(await answered(keys.find("k1"))).toEqual({ ...record("k1"), revokedMs: 7000 });
      expect(await answered(keys.find("digest-k1"))).toBeUndefined();
    });

    test("of two changes of one version, the first is written", async () => {
      await answered(keys.put(record("k1")));
      expect(await answered(keys.replace(record("k1", { version: 2, disabled: true })))).toBe(true);
      expect(await answered(keys.replace(record("k1", { version: 2, name: "renamed" })))).toBe(false);
      expect(await get("digest-k1")).toEqual(record("k1", { version: 2, disabled: true }));
      expect(await answered(keys.replace(record("k1", { version: 3, consumer: "globex" })))).toBe(true);
      expect((await ids({ limit: 10, consumer: "globex" })).ids).toEqual(["k1"]);
      expect((await ids({ limit: 10, consumer: "acme" })).ids).toEqual([]);
    });

    test("nothing is replaced that is not there", async () => {
      expect(await answered(keys.replace(record("k1", { version: 2 })))).toBe(false);
      expect(await get("digest-k1")).toBeUndefined();
    });

    test("the latest use stands, whatever is put, and is no change", async () => {
      await answered(keys.put(record("k1")));
      const { mark } = await answered(keys.changes(undefined));
      await answered(keys.used("digest-k1", 8000));
      await answered(keys.used("digest-k1", 6000));
      expect(await get("digest-k1")).toEqual({ ...record("k1"), lastUsedMs: 8000 });
      expect(await answered(keys.changes(mark))).toEqual({ mark, digests: [] });
      await answered(keys.replace(record("k1", { version: 2, lastUsedMs: 7000 })));
      await answered(keys.revoke("k1", 9000));
      expect(await get("digest-k1")).toEqual({ ...record("k1", { version: 2 }), lastUsedMs: 8000, revokedMs: 9000 });
    });

    test("the use of a key that is gone leaves nothing behind", async () => {
      await answered(keys.used("digest-k1", 8000));
      expect(await get("digest-k1")).toBeUndefined();
      await answered(keys.put(record("k1")));
      expect(await get("digest-k1")).toEqual(record("k1"));
    });

    test("what was put, replaced, revoked or removed since a mark", async () => {
      const changed = async (since: number | undefined) => {
        const { mark, digests } = await answered(keys.changes(since));
        return { mark, digests: digests === "all" ? digests : [...new Set(digests)].sort() };
      };
      const start = await changed(undefined);
      expect(start.digests).toBe("all");
      for (const id of ["a", "b", "c", "d"]) await answered(keys.put(record(id)));
      const added = await changed(start.mark);
      expect(added.digests).toEqual(["digest-a", "digest-b", "digest-c", "digest-d"]);
      expect(await changed(added.mark)).toEqual({ mark: added.mark, digests: [] });
      await answered(keys.replace(record("a", { version: 2 })));
      await answered(keys.revoke("b", 5000));
      await answered(keys.remove("c"));
      await answered(keys.remove("none"));
      await answered(keys.put(record("d", { digest: "digest-new" })));
      const later = await changed(added.mark);
      expect(later.digests).toEqual(["digest-a", "digest-b", "digest-c", "digest-d", "digest-new"]);
      expect(later.mark).toBeGreaterThan(added.mark);
      expect(await changed(later.mark)).toEqual({ mark: later.mark, digests: [] });
    });

    test("more changes than can be listed are all, and what comes after them is listed again", async () => {
      const { mark } = await answered(keys.changes(undefined));
      await Promise.all(Array.from({ length: MAX_CHANGES + 1 }, (_, index) => answered(keys.put(record(`k${index}`)))));
      const many = await answered(keys.changes(mark));
      expect(many.digests).toBe("all");
      await answered(keys.put(record("late")));
      expect((await answered(keys.changes(many.mark))).digests).toContain("digest-late");
    });

    test("what has ended is removed when that is asked for, and nothing else", async () => {
      await answered(keys.put(record("ended", { expiresMs: 5000 })));
      await answered(keys.put(record("endless")));
      await answered(keys.put(record("later", { expiresMs: 5001 })));
      await answered(keys.put(record("prolonged", { expiresMs: 5000 })));
      await answered(keys.put(record("prolonged", { expiresMs: 9000 })));
      await answered(keys.put(record("unbound", { expiresMs: 5000 })));
      await answered(keys.put(record("unbound")));
      const { mark } = await answered(keys.changes(undefined));
      await answered(keys.removeExpired(5000));
      expect((await ids({ limit: 10 })).ids.sort()).toEqual(["endless", "later", "prolonged", "unbound"]);
      expect(await get("digest-ended")).toBeUndefined();
      expect(await answered(keys.find("ended"))).toBeUndefined();
      expect(await answered(keys.changes(mark))).toEqual({ mark, digests: [] });
    });

    test("a removed key is gone everywhere; removing none is no error", async () => {
      await answered(keys.put(record("k1")));
      await answered(keys.revoke("k1", 7000));
      await answered(keys.remove("k1"));
      await answered(keys.remove("k1"));
      expect(await get("digest-k1")).toBeUndefined();
      expect((await ids({ limit: 5 })).ids).toEqual([]);
      expect(await answered(keys.find("k1"))).toBeUndefined();
      expect(await answered(keys.revoke("k1", 8000))).toBe(false);
    });
  });
}
