/** docs/design.md is held to the code: the codes of the life of a request, the rows of the policies, the settings that it explains. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PHASES } from "#lib/contract/phases.ts";
import { PROBLEMS } from "#lib/contract/problem.ts";
import { POLICIES } from "#lib/policies/index.ts";
import { ROOT, readDocument, rowsOf, sectionOf } from "./documents.ts";

const design = readDocument("docs/design.md");
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

describe("the life of a request", () => {
  const life = sectionOf(design, "life");

  test("every code of the catalogue stands in it, or below it as not used yet", () => {
    const after = design.text.split("<!-- /life -->")[1]!.split("\n\n")[1]!;
    const named = new Set([...`${life}${after}`.matchAll(/`([a-z-]+)` \d{3}/g)].map(([, code]) => code));
    expect(Object.keys(PROBLEMS).filter((code) => !named.has(code))).toEqual([]);
  });

  test("a policy stands in its phase, and the phase has its codes", () => {
    const rows = rowsOf(life);
    for (const { name, phase, refuses } of POLICIES.values()) {
      if (phase === undefined) continue;
      const [, where = "", codes = ""] = rows.find(([step]) => step!.startsWith(`phase \`${phase}\``)) ?? [];
      expect(where).toContain(`\`${name}\``);
      for (const code of refuses) expect(codes).toContain(`\`${code}\``);
    }
  });

  test("its phases are in the order of lib/contract/phases.ts", () => {
    const named = [...life.matchAll(/phases? ((?:`[a-z-]+`(?:, )?)+)/g)].flatMap(([, names = ""]) => names.match(/[a-z-]+/g));
    expect(named.toSorted()).toEqual(PHASES.toSorted());
  });
});

test("the walk through the code names at most ten functions, each where it is", () => {
  const steps = [...sectionOf(design, "walk").matchAll(/^\d+\. `(\w+)` in `([^`]+)`/gm)];
  expect(steps.length).toBeGreaterThan(7);
  expect(steps.length).toBeLessThanOrEqual(10);
  for (const [, name, file] of steps) expect(read(file!)).toMatch(new RegExp(`(?:export function|^  )\\s*${name}\\(`, "m"));
});

describe("the settings that it explains", () => {
  const tableAfter = (heading: string) => rowsOf(design.text.split(heading)[1]!.split("\n\n").slice(1, 2).join("\n"));
  const names = (rows: string[][]) => rows.map(([setting = ""]) => /`([^`]+)`/.exec(setting)![1]!.split(":")[0]!);

  test("next.config.ts has them all, and no other", () => {
    const text = read("next.config.ts");
    const config = text.slice(text.indexOf("const nextConfig"));
    const keys = [...config.matchAll(/^ {2}(\w+):/gm)].map(([, key]) => key!).filter((key) => key !== "experimental");
    const nested = [...config.split("experimental: {")[1]!.matchAll(/^ {4}(\w+):/gm)].map(([, key]) => `experimental.${key}`);
    const explained = names(tableAfter("In `next.config.ts`:"));
    const top = explained.map((name) => (name.startsWith("experimental.") ? name : name.split(".")[0]!));
    expect(top.toSorted()).toEqual([...keys, ...nested].toSorted());
  });

  test("vercel.json has them all, and no other", () => {
    const { $schema: _, functions, ...rest } = JSON.parse(read("vercel.json")) as Record<string, object>;
    const keys = [...Object.keys(rest), ...Object.values(functions!).flatMap((one) => Object.keys(one as object))];
    expect(names(tableAfter("In `vercel.json`:")).toSorted()).toEqual(keys.toSorted());
  });
});
