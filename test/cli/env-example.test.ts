import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { expect, test } from "vitest";
import { ROOT } from "./checkout.ts";

const EXAMPLE = readFileSync(join(ROOT, ".env.example"), "utf8");
/** Set by the platform or the build: nothing for a user to write. */
const NOT_THE_USERS = new Set(["VERCEL", "VERCEL_ENV", "VERCEL_REGION", "VERCEL_PROJECT_ID", "FRONTDESK_BUILD_KEY", "NODE_ENV"]);

/** `variables.NAME`, `process.env.NAME` and the pairs of names of Redis. */
function namesReadBy(file: string): string[] {
  const source = readFileSync(join(ROOT, "lib", file), "utf8");
  const names = [...source.matchAll(/(?:variables\.|process\.env\.|\["|", ")([A-Z][A-Z_]+)\b/g)].map(([, name]) => name!);
  return names.filter((name) => !NOT_THE_USERS.has(name));
}

test("names what the gateway reads from its environment, and nothing else", () => {
  const read = new Set([...namesReadBy("config/env.ts"), ...namesReadBy("compiler/short-routes.ts")]);
  expect(read).toContain("KV_REST_API_TOKEN");
  expect(Object.keys(parseEnv(EXAMPLE)).sort()).toEqual([...read].sort());
});

test("sets nothing when it is copied as it is, and explains each name on its line", () => {
  expect([...new Set(Object.values(parseEnv(EXAMPLE)))]).toEqual([""]);
  for (const line of EXAMPLE.split("\n").filter((line) => line !== "" && !line.startsWith("#")))
    expect(line).toMatch(/^[A-Z_]+= +# \S/);
});
