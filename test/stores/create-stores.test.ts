/** Which stores a host gets, and what it is told about them. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createStores } from "#lib/stores/create-stores.ts";

const log = { info() {}, warn() {}, error() {} };
const upstash = { url: "https://eu1-example-123.upstash.io", token: "secret-token" };

test("Redis where it is configured, named without its token", async () => {
  for (const host of ["node", "vercel"] as const) {
    const { describe } = await createStores({ upstash, prefix: "fd:shop:production:", dataDir: "/nowhere", host, log });
    expect(describe.counters).toBe("in Upstash Redis at eu1-example-123.upstash.io, under fd:shop:production:");
    expect(JSON.stringify(describe)).not.toContain("secret-token");
  }
});

test("a file on the Node host with a data folder, which is made", async () => {
  const folder = mkdtempSync(join(tmpdir(), "frontdesk-stores-"));
  const dataDir = join(folder, "not", "there");
  const stores = await createStores({ prefix: "fd:", dataDir, host: "node", log });
  expect(stores.describe.keys).toBe(`in ${join(dataDir, "frontdesk.db")}`);
  expect(existsSync(join(dataDir, "frontdesk.db"))).toBe(true);
  await stores.close();
  rmSync(folder, { recursive: true });
});

test("memory otherwise, and on Vercel, where no disk lasts", async () => {
  for (const choice of [{ host: "vercel", dataDir: "/nowhere" }, { host: "node" }] as const) {
    const { describe } = await createStores({ prefix: "fd:", log, ...choice });
    expect(describe.counters).toContain("in this process's memory");
  }
});

test("stores in memory answer at once, never with a promise", async () => {
  const { keys } = await createStores({ prefix: "fd:", log, host: "vercel" });
  expect(keys.get("d")).toEqual({ state: "ok", value: undefined });
});
