/** The import graph of the repository: which file names which, types counted apart. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");
export const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
/** What a clone has, and what is about to be committed. */
export const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\0")
  .filter((file) => file !== "" && existsSync(join(ROOT, file)));
export const sources = files.filter((file) => /\.(?:ts|tsx|mjs|js|jsx)$/.test(file));
export const lib = sources.filter((file) => file.startsWith("lib/"));
const { imports: aliases } = JSON.parse(read("package.json")) as { imports: Record<string, string> };

export interface Import {
  /** A package's name, or a file from the root. */
  readonly to: string;
  readonly isType: boolean;
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?["']([^"']+)["']|import\(\s*(?:\/\*[^*]*\*\/\s*)*["']([^"']+)["']\s*\)/g;

export function importsOf(file: string): Import[] {
  return [...read(file).matchAll(IMPORT)].map(([text, type, from, dynamic]) => {
    // `import { type A, type B }` is erased like `import type`.
    const names = /\{([^}]*)\}/
      .exec(text)?.[1]
      ?.split(",")
      .map((name) => name.trim())
      .filter(Boolean);
    const isType =
      type !== undefined ||
      (names !== undefined && !/import\s+\w/.test(text) && names.length > 0 && names.every((name) => name.startsWith("type ")));
    return { to: resolve(file, (from ?? dynamic)!), isType };
  });
}

function resolve(file: string, specifier: string): string {
  const alias = Object.entries(aliases).find(([name]) =>
    name.endsWith("*") ? specifier.startsWith(name.slice(0, -1)) : specifier === name,
  );
  if (alias) return alias[1].slice(2).replace("*", specifier.slice(alias[0].length - 1));
  return specifier.startsWith(".") ? relative(ROOT, join(ROOT, dirname(file), specifier)) : specifier;
}

/** Everything that is loaded when one of `entries` is. */
export function reachable(entries: readonly string[]): Set<string> {
  const found = new Set<string>();
  const visit = (file: string) => {
    if (found.has(file)) return;
    found.add(file);
    if (!sources.includes(file)) return;
    for (const { to, isType } of importsOf(file)) if (!isType) visit(to);
  };
  entries.forEach(visit);
  return found;
}

/** Imports from `from` to what `to` describes, as `file → target`. */
export function arrows(from: readonly string[], to: (target: string, file: string) => boolean): string[] {
  return from.flatMap((file) =>
    importsOf(file)
      .filter(({ to: target }) => to(target, file))
      .map(({ to: target }) => `${file} → ${target}`),
  );
}

export const isPackage = (name: string) => (target: string) => target === name || target.startsWith(`${name}/`);
