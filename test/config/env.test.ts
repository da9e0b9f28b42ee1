import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseEnvironment, readEnvironment } from "../../lib/config/env.ts";

describe("parseEnvironment", () => {
  test("what holds when nothing is set", () => {
    expect(parseEnvironment({ PORT: "", GATEWAY_SECRET: "" })).toMatchObject({
      port: 4000,
      host: undefined,
      secrets: [],
      dataDir: ".frontdesk",
      redis: undefined,
      storePrefix: "fd:frontdesk:development:",
      vercel: false,
      configFile: undefined,
    });
  });

  test("secrets, newest first", () => {
    const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const { secrets } = parseEnvironment({ GATEWAY_SECRET: `${one.toString("base64url")},${two.toString("base64url")}` });
    expect(secrets).toEqual([one, two]);
  });

  test.each(["short", `${"a".repeat(43)},`, "a".repeat(44), "ä".repeat(43)])(
    "the secret %j is refused and not shown",
    (GATEWAY_SECRET) => {
      expect(() => parseEnvironment({ GATEWAY_SECRET })).toThrow("GATEWAY_SECRET: expected 32 random bytes");
      expect(() => parseEnvironment({ GATEWAY_SECRET })).not.toThrow(GATEWAY_SECRET);
    },
  );

  test.each(["abc", "-1", "65536", "4000x", "1e3"])("the port %j is refused", (PORT) =>
    expect(() => parseEnvironment({ PORT })).toThrow("PORT: expected a port"),
  );

  test("Redis by either pair of names, Upstash's first", () => {
    const kv = { KV_REST_API_URL: "https://kv.example", KV_REST_API_TOKEN: "k" };
    expect(parseEnvironment(kv).redis).toEqual({ url: "https://kv.example", token: "k", budgetMs: 80 });
    const both = { ...kv, UPSTASH_REDIS_REST_URL: "https://up.example", UPSTASH_REDIS_REST_TOKEN: "u" };
    expect(parseEnvironment(both).redis).toEqual({ url: "https://up.example", token: "u", budgetMs: 80 });
    expect(parseEnvironment({ ...both, GATEWAY_STORE_BUDGET: "250ms" }).redis?.budgetMs).toBe(250);
    expect(() => parseEnvironment({ ...both, GATEWAY_STORE_BUDGET: "soon" })).toThrow("GATEWAY_STORE_BUDGET");
  });

  test("a scheduler's secret; an empty one is none", () => {
    expect(parseEnvironment({ CRON_SECRET: "0123456789abcdef" }).cronSecret).toBe("0123456789abcdef");
    expect(parseEnvironment({ CRON_SECRET: "" }).cronSecret).toBeUndefined();
  });

  test("names in Redis keep projects and environments apart", () => {
    expect(parseEnvironment({ GATEWAY_NAME: "shop", VERCEL_ENV: "preview" }).storePrefix).toBe("fd:shop:preview:");
    expect(parseEnvironment({ GATEWAY_STORE_PREFIX: "mine:", GATEWAY_NAME: "shop" }).storePrefix).toBe("mine:");
  });
});

describe("readEnvironment", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "frontdesk-env-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("the process over .env.local over .env, read anew at each call", () => {
    writeFileSync(join(folder, ".env"), "FD_TEST_A=env\nFD_TEST_B=env\nPATH=nowhere\n");
    writeFileSync(join(folder, ".env.local"), "FD_TEST_B=local\n");
    const { variables } = readEnvironment(folder);
    expect([variables.FD_TEST_A, variables.FD_TEST_B]).toEqual(["env", "local"]);
    expect(variables.PATH).toBe(process.env.PATH);
    writeFileSync(join(folder, ".env.local"), "FD_TEST_B=changed\n");
    expect(readEnvironment(folder).variables.FD_TEST_B).toBe("changed");
  });
});
