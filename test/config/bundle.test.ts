/** What the bundles of the Vercel host load of the config layer holds neither the schema nor a parser. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const lib = join(import.meta.dirname, "../../lib");

/** Packages and files that a module loads at run time; type imports are erased. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const source = readFileSync(file, "utf8");
  for (const [, specifier] of source.matchAll(/^(?:import|export)(?! type)[^;]*? from "([^"]+)";$/gm)) {
    if (specifier!.startsWith(".")) loadedBy(join(dirname(file), specifier!), seen);
    else seen.add(specifier!);
  }
  return seen;
}

test.each(["public/frontdesk.ts", "config/references.ts", "config/env.ts", "compiler/custom-policies.ts", "config/issue.ts"])(
  "lib/%s",
  (file) => {
    const packages = [...loadedBy(join(lib, file))].filter((name) => !name.startsWith("/") && !name.startsWith("node:"));
    expect(packages).toEqual([]);
  },
);

test("the check sees zod where it is", () => expect([...loadedBy(join(lib, "compiler/compile.ts"))]).toContain("zod"));
