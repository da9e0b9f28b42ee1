/** docs/security.md promises tests: each that it names exists, and each group of attacks is named. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT, readDocument, rowsOf, sectionOf } from "./documents.ts";

const named = rowsOf(sectionOf(readDocument("docs/security.md"), "attacks")).map(([attack = "", , cell = ""]) => {
  const [, file = "", name = ""] = /^`([^`]+)`: "(.+)"$/.exec(cell) ?? [];
  return { attack, file, name };
});

test.each(named)("$attack", ({ file, name }) => {
  const text = readFileSync(join(ROOT, file), "utf8");
  const titles = [...text.matchAll(/"([^"\n]+)"|^ {4}(\w+): \{$/gm)].map(([, title, group]) => title ?? group!);
  expect(titles.filter((title) => title.includes(name))).not.toEqual([]);
});

test("every group of attacks on tokens is in the table", () => {
  const text = readFileSync(join(ROOT, "test/flows/jwt-attacks/attacks.ts"), "utf8");
  const groups = [...text.matchAll(/^ {4}(?:"([^"]+)"|(\w+)): \{$/gm)].map(([, quoted, plain]) => quoted ?? plain);
  expect(groups.length).toBeGreaterThan(10);
  expect(named.filter(({ file }) => file.endsWith("attacks.ts")).map(({ name }) => name)).toEqual(groups);
});
