/** No regular expression of the engine has a super-linear worst case: a caller or a backend could stop the process with one field (ReDoS). */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAst } from "vitest/node";

const ROOT = join(import.meta.dirname, "..");

/** What reads the operator's own words alone, in a config, a command line or a file, once. */
const OWN_WORDS = /^lib\/(?:cli\/|config\/|compiler\/|crypto\/public-keys|(?:policies|authenticators)\/[^/]+\/options\.ts$)/;

/** Made of texts when they are needed: nobody but the operator chooses these. */
const COMPOSED_LATER = ["lib/admin/json-schema.ts", "lib/authenticators/api-key/key-format.ts"];

interface Found {
  readonly file: string;
  readonly pattern: string;
  readonly flags: string;
}

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "lib"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file.endsWith(".ts") && !OWN_WORDS.test(file));

/** Every node of the syntax tree, whatever its kind. */
function* nodesOf(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return;
  if ("type" in value) yield value as Record<string, unknown>;
  for (const child of Object.values(value)) yield* nodesOf(child);
}

function literalsIn(file: string, text: string): Found[] {
  return [...nodesOf(parseAst(text, { lang: "ts" }))].flatMap(({ regex }) => {
    const literal = regex as { readonly pattern: string; readonly flags: string } | undefined;
    return literal ? [{ file, pattern: literal.pattern, flags: literal.flags }] : [];
  });
}

/** Those that a module puts together when it is loaded, by their text. */
async function composedIn(file: string): Promise<Found[]> {
  const found: Found[] = [];
  const Original = globalThis.RegExp;
  globalThis.RegExp = new Proxy(Original, {
    construct(target, [pattern, flags = ""]: [string | RegExp, string?], newTarget) {
      if (typeof pattern === "string") found.push({ file, pattern, flags });
      return Reflect.construct(target, [pattern, flags], newTarget) as RegExp;
    },
  });
  try {
    await import(join(ROOT, file));
  } finally {
    globalThis.RegExp = Original;
  }
  return found;
}

const COMPOSES = /\bnew RegExp\(/;
const composing = files.filter((file) => COMPOSES.test(readFileSync(join(ROOT, file), "utf8")));
const { checkSync } = await loadChecker();

/** Its build in JavaScript: the others are programs for one kind of machine. */
async function loadChecker() {
  process.env["RECHECK_BACKEND"] = "pure";
  return import("recheck");
}

const superLinear = ({ pattern, flags }: Found) =>
  checkSync(pattern, flags.replaceAll(/[dgv]/g, ""), { timeout: 60_000 }).status !== "safe";

test("the checker finds what it is asked for", () => {
  const [literal] = literalsIn("a.ts", 'const pair: RegExp = /^\\s*([a-z]+)="?([^"]*)"?\\s*$/i;');
  expect(superLinear(literal!)).toBe(true);
  expect(superLinear({ file: "", pattern: "^[a-z]+$", flags: "" })).toBe(false);
});

test("every literal is linear", { timeout: 240_000 }, () => {
  const all = files.flatMap((file) => literalsIn(file, readFileSync(join(ROOT, file), "utf8")));
  expect(all.length).toBeGreaterThan(100);
  expect(all.filter(superLinear).map(({ file, pattern }) => `${file}: ${pattern}`)).toEqual([]);
});

test("those that are put together are linear, or made of the operator's own words", { timeout: 240_000 }, async () => {
  const composed = new Map<string, Found[]>();
  for (const file of composing) composed.set(file, await composedIn(file));
  expect(composing.filter((file) => composed.get(file)!.length === 0).sort()).toEqual(
    COMPOSED_LATER.filter((file) => composed.get(file)?.length === 0),
  );
  expect(
    [...composed.values()]
      .flat()
      .filter(superLinear)
      .map(({ file, pattern }) => `${file}: ${pattern}`),
  ).toEqual([]);
});
