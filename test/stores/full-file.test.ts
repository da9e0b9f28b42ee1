/** A store file that is full, by its bounds or because the disk is: who still finds room, and what is written when there is some again. */
import { spawn } from "node:child_process";
import { once as event } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { createSqliteStores } from "#lib/stores/sqlite/sqlite-stores.ts";
import { answered } from "../contracts/answered.ts";
import { DAY_MS, freshFile, NOW_MS, openStores, quota } from "./open-sqlite.ts";

describe("one owner's claims", () => {
  const sized = { maxClaims: 8, maxClaimBytes: 800 };
  const claim = async (stores: ReturnType<typeof openStores>, key: string, owner: string, nowMs = NOW_MS) =>
    answered(stores.once.claim(key, 1000, nowMs, owner));

  test("are a quarter of all at most, also those of another process and of before a restart", async () => {
    const file = freshFile();
    const [stores, other] = [openStores(file, sized), openStores(file, sized)];
    expect((await claim(stores, "1", "eve")).state).toBe("claimed");
    expect((await claim(other, "2", "eve")).state).toBe("claimed");
    expect(await claim(stores, "3", "eve")).toEqual({ state: "exhausted" });
    expect(await claim(stores, "2", "eve")).toEqual({ state: "held" });
    expect((await claim(stores, "3", "ada")).state).toBe("claimed");
    await Promise.all([stores.close(), other.close()]);
    const again = openStores(file, sized);
    expect(await claim(again, "4", "eve")).toEqual({ state: "exhausted" });
    expect((await claim(again, "4", "eve", NOW_MS + 1000)).state).toBe("claimed");
    await again.close();
  });

  test("hold a quarter of the bytes at most, and a smaller value still finds room", async () => {
    const stores = openStores(freshFile(), sized);
    const complete = async (key: string, owner: string, values: string[]) => {
      const claimed = await claim(stores, key, owner);
      const token = claimed.state === "claimed" ? claimed.token : expect.fail(claimed.state);
      return Promise.all(values.map((value) => stores.once.complete(key, token, value, 1000, NOW_MS)));
    };
    const [full, kept] = [
      { state: "unavailable", reason: "error" },
      { state: "ok", value: true },
    ];
    expect(await complete("1", "eve", ["x".repeat(180)])).toEqual([kept]);
    expect(await complete("2", "eve", ["x".repeat(21), "x"])).toEqual([full, kept]);
    expect(await complete("3", "ada", ["x".repeat(180)])).toEqual([kept]);
    await stores.close();
  });
});

describe("room in the file", () => {
  const key = { id: "1", version: 1, digest: "d", name: "n", consumer: "c", hint: "h", createdMs: 1 };

  test("has an end; keys and revocations have theirs beyond it, and health says so", async () => {
    const stores = openStores(freshFile(), { maxTotalBytes: 400_000 });
    await answered(stores.keys.put(key));
    const value = "x".repeat(10_000);
    const fill = async (index: number) => {
      const claimed = await stores.once.claim(`${index}`, DAY_MS, NOW_MS);
      if (claimed.state !== "ok" || claimed.value.state !== "claimed") return false;
      return (await stores.once.complete(`${index}`, claimed.value.token, value, DAY_MS, NOW_MS)).state === "ok";
    };
    let filled = 0;
    while (await fill(filled)) filled++;
    expect(filled).toBeGreaterThan(10);
    expect(filled).toBeLessThan(40);
    expect(stores.status().away).toEqual({ reason: "unwritable", sinceMs: NOW_MS });
    expect(await answered(stores.keys.revoke("1", NOW_MS))).toBe(true);
    expect(stores.status().heldRevocations).toBeUndefined();
    expect((await answered(stores.keys.get("d")))?.revokedMs).toBe(NOW_MS);
    await stores.close();
  });

  /** A file without room, its reserve included, for as long as nothing is removed from it. */
  async function fullStores(file: string) {
    let nowMs = NOW_MS;
    let timesBack = 0;
    const options = { maxTotalBytes: 200_000, holdsRevocations: true, now: () => nowMs, onBack: () => void timesBack++ };
    const stores = openStores(file, options);
    await answered(stores.keys.put(key));
    let filled = 0;
    for (const bytes of [1_000_000, 10_000, 1000]) {
      const filler = () => ({ ...key, id: `filler-${filled}`, digest: `filler-${filled}`, name: "x".repeat(bytes) });
      while ((await stores.keys.put(filler())).state === "ok") filled++;
    }
    return {
      ...stores,
      timesBack: () => timesBack,
      /** A megabyte each, from 0 on. */
      makeRoom: (index: number) => answered(stores.keys.remove(`filler-${index}`)),
      async aSecondLater() {
        nowMs += 1000;
        await stores.keys.changes(0);
      },
    };
  }
  const token = (id: string, name: string) => ({ ...key, id, digest: `token-${id}`, name });

  test("a revocation that found none is written once there is some, and outlives the process", async () => {
    const file = freshFile();
    const stores = await fullStores(file);
    expect(await answered(stores.revoked.put(token("1", "x".repeat(20_000))))).toBeUndefined();
    expect(stores.status()).toMatchObject({ away: { reason: "unwritable" }, heldRevocations: 1 });
    await stores.aSecondLater();
    expect(stores.status()).toMatchObject({ away: { reason: "unwritable" }, heldRevocations: 1 });
    expect(stores.timesBack()).toBe(0);
    await stores.makeRoom(0);
    await stores.aSecondLater();
    expect(stores.status().heldRevocations).toBeUndefined();
    expect(stores.status().away).toBeUndefined();
    expect(stores.timesBack()).toBe(1);
    await stores.close();
    const after = openStores(file);
    expect(await answered(after.revoked.get("token-1"))).toMatchObject({ id: "1" });
    await after.close();
  });

  test("what has found room is written, and the next one waits on, without holding anybody up", async () => {
    const file = freshFile();
    const stores = await fullStores(file);
    await answered(stores.revoked.put(token("small", "x".repeat(20_000))));
    await answered(stores.revoked.put(token("large", "x".repeat(3_000_000))));
    await stores.makeRoom(0);
    await stores.aSecondLater();
    expect(stores.status()).toMatchObject({ away: { reason: "unwritable" }, heldRevocations: 1 });
    expect(await answered(stores.revoked.get("token-large"))).toMatchObject({ id: "large" });
    for (const index of [1, 2, 3]) await stores.makeRoom(index);
    await stores.aSecondLater();
    expect([stores.status().heldRevocations, stores.timesBack()]).toEqual([undefined, 1]);
    await stores.close();
  });

  test("counts that callers make up are bounded: those that end first go", async () => {
    const file = freshFile();
    const stores = openStores(file, { maxCounts: 100 });
    for (let index = 0; index < 500; index++) {
      const rule = { ...quota, endMs: quota.endMs + index };
      await answered(stores.counters.take([{ key: `${index}`, rule, cost: 1, enforce: true }], NOW_MS));
      if (index % 50 === 0) stores.aSecondPasses();
    }
    await stores.close();
    const database = new DatabaseSync(file);
    expect(database.prepare("SELECT count(*) AS n, min(expires_ms) AS first FROM counters").get()).toEqual({
      n: 100,
      first: quota.endMs + 400,
    });
    database.close();
  });
});

/** A process whose files may not grow, as on a full disk: it needs no rights, and no disk of its own. */
describe("a full disk", () => {
  async function onFullDisk(file: string, blocks: number): Promise<Record<string, unknown>> {
    const worker = join(import.meta.dirname, "full-disk-worker.ts");
    const child = spawn("sh", ["-c", `ulimit -f ${blocks}; exec "$0" "$@"`, process.execPath, worker, file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const output: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    await event(child, "close");
    return JSON.parse(Buffer.concat(output).toString()) as Record<string, unknown>;
  }

  test("a revocation is in force in the process, which says so; nothing else is written; the next start reads what is there", async () => {
    const file = freshFile();
    const before = createSqliteStores({ file });
    await answered(before.keys.put({ id: "1", version: 1, digest: "d", name: "n", consumer: "c", hint: "h", createdMs: 1 }));
    await answered(before.keys.put({ id: "2", version: 1, digest: "e", name: "n", consumer: "c", hint: "h", createdMs: 2 }));
    await answered(before.keys.revoke("2", 5));
    // Holds the journal where it ends, so that what is written next makes it longer.
    const reader = new DatabaseSync(file);
    reader.exec("BEGIN; SELECT * FROM keys");
    for (let start = 0; start < 2; start++) {
      expect(await onFullDisk(file, 1)).toEqual({
        isInMemory: false,
        claim: "unavailable",
        revoked: { state: "ok", value: true },
        revokedToken: { state: "ok" },
        key: 7,
        earlierKey: 5,
        token: "t",
        away: "unwritable",
        held: 2,
        withoutHolding: "unavailable",
      });
    }
    reader.close();
    await before.close();
  });

  test("with no file yet, everything is in memory", async () => {
    expect(await onFullDisk(freshFile(), 0)).toMatchObject({ isInMemory: true, claim: "ok" });
  });
});
