/** The stores in SQLite: the contracts, and what holds only here: restarts, write-behind, second processes, bad files. */
import { spawn } from "node:child_process";
import { once as event } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";

import { createSqliteStores } from "#lib/stores/sqlite/sqlite-stores.ts";
import { answered } from "../contracts/answered.ts";
import { blobsContract } from "../contracts/blobs.ts";
import { countersContract } from "../contracts/counters.ts";
import { keysContract } from "../contracts/keys.ts";
import { logContract } from "../contracts/log.ts";
import { metricsContract } from "../contracts/metrics.ts";
import { onceContract } from "../contracts/once.ts";
import { DAY_MS, freshFile, hourly, minutely, NOW_MS, openStores, quota } from "./open-sqlite.ts";

const make = async () => ({ ...createSqliteStores({ file: freshFile(), maxLogEntries: 200 }), at: () => {} });
countersContract("sqlite", make);
keysContract("sqlite", make);
keysContract("sqlite, of revoked tokens", async () => {
  const { revoked, ...stores } = await make();
  return { ...stores, keys: revoked };
});
onceContract("sqlite", make);
blobsContract("sqlite", make);
logContract("sqlite", make);
metricsContract("sqlite", make);

const bytes = (text: string) => new TextEncoder().encode(text);

describe("a restart", () => {
  test("keeps keys, claims, blobs, logs and long counts; short counts start anew", async () => {
    const file = freshFile();
    const before = openStores(file);
    await answered(before.keys.put({ id: "1", version: 1, digest: "d", name: "n", consumer: "c", hint: "h", createdMs: 1 }));
    await answered(before.once.claim("held", DAY_MS, NOW_MS));
    const claimed = await answered(before.once.claim("done", DAY_MS, NOW_MS));
    const token = claimed.state === "claimed" ? claimed.token : "";
    await answered(before.once.complete("done", token, "value", DAY_MS, NOW_MS));
    await answered(before.blobs.set("b", bytes("blob"), { ttlMs: DAY_MS, tags: ["t"] }, NOW_MS));
    await answered(before.log.append("audit", { what: "put" }, NOW_MS));
    await before.take(quota, 40);
    await before.take(hourly, 30);
    await before.take(minutely, 20);
    await before.close();
    await before.close();

    const after = openStores(file);
    expect(await answered(after.keys.get("d"))).toMatchObject({ id: "1" });
    expect(await answered(after.once.claim("held", DAY_MS, NOW_MS))).toEqual({ state: "held" });
    expect(await answered(after.once.claim("done", DAY_MS, NOW_MS))).toEqual({ state: "done", value: "value" });
    expect(Buffer.from((await answered(after.blobs.get("b", NOW_MS)))!.value).toString()).toBe("blob");
    expect((await answered(after.log.page("audit", { limit: 5 }))).items).toMatchObject([{ value: { what: "put" } }]);
    expect([await after.take(quota), await after.take(hourly), await after.take(minutely)]).toEqual([59, 69, 99]);
    expect(await answered(after.blobs.deleteByTag("t"))).toBe(1);
    expect(await answered(after.blobs.get("b", NOW_MS))).toBeUndefined();
    await after.close();
  });

  test("after a crash loses at most what was not written yet, and never a claim, a key or a revocation", async () => {
    const file = freshFile();
    const crashed = openStores(file);
    await crashed.take(quota, 40);
    crashed.aSecondPasses();
    await crashed.take(quota, 7);
    await answered(crashed.blobs.set("late", bytes("v"), { ttlMs: DAY_MS }, NOW_MS));
    await answered(crashed.once.claim("nonce", DAY_MS, NOW_MS));
    await answered(crashed.keys.put({ id: "1", version: 1, digest: "d", name: "n", consumer: "c", hint: "h", createdMs: 1 }));
    await answered(crashed.keys.revoke("1", NOW_MS));
    // Nothing is flushed: another process opens the file while this one is still there.
    const after = openStores(file);
    expect(await after.take(quota, 0)).toBe(60);
    expect(await answered(after.blobs.get("late", NOW_MS))).toBeUndefined();
    expect(await answered(after.once.claim("nonce", DAY_MS, NOW_MS))).toEqual({ state: "held" });
    expect(await answered(after.keys.get("d"))).toMatchObject({ revokedMs: NOW_MS });
    expect(await answered(after.keys.changes(0))).toEqual({ mark: 2, digests: ["d", "d"] });
    await after.close();
    await crashed.close();
  });
});

describe("writing behind", () => {
  test("many changes of a second are one write, and nothing is scheduled while nothing changes", async () => {
    const stores = openStores(freshFile());
    expect(stores.due).toHaveLength(0);
    for (let index = 0; index < 100; index++) await stores.take(quota);
    await answered(stores.log.append("audit", 1, NOW_MS));
    expect(stores.due).toHaveLength(1);
    stores.aSecondPasses();
    expect(stores.due).toHaveLength(0);
    await stores.close();
  });

  test("a count that memory had to drop is read back from the file, or from what waits to be written", async () => {
    const stores = openStores(freshFile(), { maxIdentifiers: 1 });
    const crowd = async () => answered(stores.counters.take([{ key: "other", rule: quota, cost: 1, enforce: true }], NOW_MS));
    await stores.take(quota, 40);
    await crowd();
    expect(await stores.take(quota, 2)).toBe(58);
    stores.aSecondPasses();
    await crowd();
    expect(await stores.take(quota, 1)).toBe(57);
    await stores.close();
  });

  test("what has expired is cleared away", async () => {
    const file = freshFile();
    let nowMs = NOW_MS;
    const stores = openStores(file, { now: () => nowMs });
    await stores.take(hourly);
    await answered(stores.blobs.set("b", bytes("v"), { ttlMs: 1000, tags: ["t"] }, NOW_MS));
    await answered(stores.once.claim("c", 1000, NOW_MS));
    stores.aSecondPasses();
    nowMs += DAY_MS;
    await answered(stores.once.claim("d", 1000, nowMs));
    await stores.close();
    const file2 = openStores(file, { now: () => nowMs });
    await answered(file2.log.append("audit", 1, nowMs));
    await file2.close();
    const database = new DatabaseSync(file);
    const count = (table: string) => database.prepare(`SELECT count(*) AS n FROM ${table}`).get()!.n;
    expect(["counters", "blobs", "blob_tags", "once"].map(count)).toEqual([0, 0, 0, 1]);
    database.close();
  });

  test("more than 8 MB of values, keys and tags do not wait", async () => {
    const file = freshFile();
    const stores = openStores(file);
    // Of an empty value the key may be long: a path that a caller made up.
    for (let index = 0; index < 100; index++) {
      const key = `cache:/${index}${"n".repeat(60_000)}`;
      await answered(stores.blobs.set(key, bytes("x"), { ttlMs: DAY_MS, tags: [key] }, NOW_MS));
    }
    const reader = new DatabaseSync(file);
    expect(reader.prepare("SELECT count(*) AS n FROM blobs").get()!.n).toBeGreaterThan(30);
    reader.close();
    await stores.close();
  });

  test("the file stays within its bytes: the blobs that end first go", async () => {
    const stores = openStores(freshFile(), { maxFileBytes: 500_000, maxBlobBytes: 1000 });
    const value = new Uint8Array(10_000);
    for (let index = 0; index < 60; index++) {
      await answered(stores.blobs.set(`b${index}`, value, { ttlMs: DAY_MS - index }, NOW_MS));
    }
    stores.aSecondPasses();
    const found = await Promise.all(Array.from({ length: 60 }, (_, index) => answered(stores.blobs.get(`b${index}`, NOW_MS))));
    expect(found.filter((blob) => blob !== undefined).length).toBeLessThan(50);
    await stores.close();
  });
});

describe("a full file of claims", () => {
  test("does not answer, until claims expire", async () => {
    const stores = openStores(freshFile(), { maxClaims: 2 });
    await answered(stores.once.claim("a", 1000, NOW_MS));
    await answered(stores.once.claim("b", 1000, NOW_MS));
    expect(await stores.once.claim("c", 1000, NOW_MS)).toEqual({ state: "unavailable", reason: "error" });
    expect(await answered(stores.once.claim("c", 1000, NOW_MS + 1000))).toMatchObject({ state: "claimed" });
    await stores.close();
  });
});

describe("a file that can't be used", () => {
  test("a folder that can't be made, or is a file: start-up says so, and ends", () => {
    const file = freshFile();
    writeFileSync(file, "");
    expect(() => createSqliteStores({ file: join(file, "x.db") })).toThrow(`${file} is a file, and has to be a folder`);
    expect(() => createSqliteStores({ file: "/proc/nope/deeper/x.db" })).toThrow("the folder /proc/nope can't be made (ENOENT)");
  });

  test.each([
    [
      "is not a store",
      (file: string) => writeFileSync(file, "this is not a database, though it is long enough to be read".repeat(40)),
    ],
    ["is damaged", damage],
    ["was written by a newer Frontdesk", (file: string) => openRaw(file, "PRAGMA user_version = 99")],
  ])("%s: start-up says so and names it", (message, prepare) => {
    const file = freshFile();
    prepare(file);
    expect(() => createSqliteStores({ file })).toThrow(message);
    expect(() => createSqliteStores({ file })).toThrow(file);
  });

  test("is locked: start-up says so; while it runs, the reply is `unavailable` and what waits is written later", async () => {
    const file = freshFile();
    const errors: unknown[] = [];
    const stores = openStores(file, { onError: (error) => void errors.push(error) });
    const locker = new DatabaseSync(file);
    locker.exec("BEGIN IMMEDIATE");
    expect(() => createSqliteStores({ file })).toThrow("is locked by another process");
    expect(await stores.once.claim("a", DAY_MS, NOW_MS)).toEqual({ state: "unavailable", reason: "error" });
    await stores.take(quota, 40);
    stores.aSecondPasses();
    expect(errors).toHaveLength(2);
    locker.exec("ROLLBACK");
    locker.close();
    await stores.take(quota, 1);
    stores.aSecondPasses();
    const second = openStores(file);
    expect(await second.take(quota, 0)).toBe(59);
    await second.close();
    await stores.close();
  });

  function openRaw(file: string, sql: string): void {
    const database = new DatabaseSync(file);
    database.exec(sql);
    database.close();
  }

  function damage(file: string): void {
    openRaw(file, "PRAGMA user_version = 0; CREATE TABLE t (a); CREATE INDEX i ON t (a)");
    const content = readFileSync(file);
    // The first page's list of tables, after its header.
    content.fill(0xff, 100, 200);
    writeFileSync(file, content);
  }
});

test("a blob that another process replaced or deleted is not served from memory", async () => {
  const file = freshFile();
  const here = createSqliteStores({ file });
  const there = createSqliteStores({ file });
  const ttl = { ttlMs: 60_000 };
  const now = Date.now();
  await here.blobs.set("switch", Buffer.from("on"), ttl, now);
  await here.close();

  const again = createSqliteStores({ file });
  expect(await again.blobs.get("switch", now)).toMatchObject({
    state: "ok",
    value: { value: new Uint8Array(Buffer.from("on")) },
  });
  await there.blobs.delete("switch");
  expect(await again.blobs.get("switch", now)).toEqual({ state: "ok", value: undefined });
  await again.close();
  await there.close();
});

test("two processes on one file share claims, and the file stays sound", async () => {
  const file = freshFile();
  createSqliteStores({ file }).close();
  const worker = new URL("./sqlite-worker.ts", import.meta.url).pathname;
  const outputs = await Promise.all(
    [1, 2].map(async () => {
      const child = spawn(process.execPath, [worker, file], { stdio: ["ignore", "pipe", "inherit"] });
      let output = "";
      child.stdout.on("data", (chunk) => {
        output += chunk;
      });
      await event(child, "close");
      return JSON.parse(output) as { claimed: string[]; unavailable: number };
    }),
  );
  const claimed = outputs.flatMap((output) => output.claimed);
  expect(new Set(claimed)).toHaveLength(claimed.length);
  // On a machine that is busy enough, a process may wait too long for the other one's write: that is an outage, not a claim.
  const unanswered = outputs.reduce((total, output) => total + output.unavailable, 0);
  expect(claimed.length).toBeGreaterThanOrEqual(300 - unanswered);
  const database = new DatabaseSync(file);
  expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  database.close();
});
