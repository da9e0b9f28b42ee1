/** The policies' READMEs can fail: their examples run, and they name the problems that the policy returns. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { createPools } from "#lib/backends/pools.ts";
import { folderOf } from "#lib/config/published-schema.ts";
import { POLICIES } from "#lib/policies/index.ts";
import { PROBLEMS, type ProblemCode } from "#lib/problem.ts";
import { startBackend } from "../support/backend.ts";
import { gatewayOf, type Sent, type TestGateway } from "./gateway.ts";

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
  const rows = [...text.matchAll(/^\| (`[A-Z]+ \/.*) \| (\d{3}.*) \|$/gm)].map(
    ([, request = "", answer = ""]) => [request, answer] as const,
  );

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

/** `GET /path` from `192.0.2.1` in `DE` with `name: value` and `name: value`. */
async function check({ send }: TestGateway, request: string, answer: string): Promise<void> {
  const { status, headers, record } = await send(sentIn(request));
  const [asked = "", absent = ""] = answer.split(" without ");
  const { [0]: stated = "", 1: refused } = /^\d{3}(?: `([a-z-]+)`)?/.exec(asked) ?? [];
  const code = refused ?? /recorded as `([a-z-]+)`/.exec(asked)?.[1];
  expect(status).toBe(Number(stated.slice(0, 3)));
  expect(record.code).toBe(code as ProblemCode | undefined);
  for (const [name, value] of fieldsIn(asked)) expect(headers.all(name)).toContain(value);
  for (const [, name = ""] of absent.matchAll(/`([a-z-]+)`/g)) expect(headers.has(name)).toBe(false);
}

function sentIn(request: string): Sent {
  const [, method = "", target = ""] = /^`([A-Z]+) (\S+)`/.exec(request) ?? [];
  const ip = /from `([^`]+)`/.exec(request)?.[1];
  const [, country, subdivision] = /in `([A-Z]{2})(?:-([A-Z]+))?`/.exec(request) ?? [];
  const geo = country === undefined ? undefined : { country, subdivision };
  return { method, target, ip, geo, headers: Object.fromEntries(fieldsIn(request)) };
}

function fieldsIn(text: string): [name: string, value: string][] {
  return [...text.matchAll(/`([a-z-]+): ([^`]*)`/g)].map(([, name = "", value = ""]) => [name, value]);
}
