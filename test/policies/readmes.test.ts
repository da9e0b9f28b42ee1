/** The policies' READMEs can fail: their examples run, and they name the problems that the policy returns. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { createPools } from "#lib/backends/pools.ts";
import { folderOf } from "#lib/compiler/schema/published.ts";
import { PROBLEMS } from "#lib/contract/problem.ts";
import { POLICIES } from "#lib/policies/index.ts";
import { startBackend } from "../support/backend.ts";
import { gatewayOf } from "./gateway.ts";
import { check, requestsIn } from "./request-table.ts";

/** For the examples that need one: it answers everything alike. */
const backend = await startBackend();
const pools = createPools();
afterAll(async () => {
  backend.close();
  await pools.close();
});

const folder = join(import.meta.dirname, "../../lib/policies");

test("every folder is a policy, and every policy has its page", () => {
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).sort()).toEqual([...POLICIES.keys()].map(folderOf).sort());
  expect(folders.filter(({ name }) => !existsSync(join(folder, name, "README.md")))).toEqual([]);
});

describe.each([...POLICIES.values()])("$name", ({ name, refuses }) => {
  const text = readFileSync(join(folder, folderOf(name), "README.md"), "utf8");
  const example = /## Example\n\n```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
  const gateway = gatewayOf(parse(example) as Record<string, unknown>, { pools, variables: { BACKEND_URL: backend.url } });
  const rows = requestsIn(text);

  test("its page names the policy and has an example", () => {
    expect(text.startsWith(`# \`${name}\`\n`)).toBe(true);
    expect(rows.length).toBeGreaterThan(0);
  });

  test.each(rows)("%s: %s", (request, answer) => check(gateway, request, answer));

  test("it names the problems that it returns", () => {
    const named = [...text.matchAll(/^- `([a-z-]+)` \((\d{3})\):/gm)].map(([, code, status]) => [code, Number(status)]);
    expect(named).toEqual(refuses.map((code) => [code, PROBLEMS[code].status]));
  });
});
