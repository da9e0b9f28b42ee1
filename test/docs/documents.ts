/** The documents of the repository, and what can be checked of a document: its blocks, its links, what it names. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");

export interface Document {
  /** From the root. */
  readonly file: string;
  readonly text: string;
}

export interface Block {
  /** `README.md:12`. */
  readonly place: string;
  readonly language: string;
  readonly text: string;
}

export function readDocuments(): Document[] {
  const patterns = ["*.md", "docs/**/*.md", "lib/**/*.md", "test/**/*.md"];
  return globSync(patterns, { cwd: ROOT, exclude: ["**/node_modules/**"] })
    .sort()
    .map(readDocument);
}

export function readDocument(file: string): Document {
  return { file, text: readFileSync(join(ROOT, file), "utf8") };
}

/** Fenced blocks; one that stands in a list loses the list's indentation. */
export function blocksOf({ file, text }: Document): Block[] {
  return [...text.matchAll(/^( *)```(\w+)\n([\s\S]*?)^\1```/gm)].map(
    ({ index, 1: indent = "", 2: language = "", 3: inner = "" }) => ({
      place: `${file}:${text.slice(0, index).split("\n").length}`,
      language,
      text: inner.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    }),
  );
}

/** Text outside of fenced blocks. */
export function proseOf({ text }: Document): string {
  return text.replace(/^( *)```[\s\S]*?^\1```/gm, "");
}

/** Names that GitHub gives to headings. */
export function anchorsOf(document: Document): string[] {
  return [...proseOf(document).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-"),
  );
}

/** What stands between `<!-- name` and `<!-- /name -->`, comments left out. */
export function sectionOf({ file, text }: Document, name: string): string {
  const section = new RegExp(`<!-- ${name}[^>]*-->\\n([\\s\\S]*?)<!-- /${name} -->`).exec(text)?.[1];
  if (section === undefined) throw new Error(`${file} has no section "${name}"`);
  return section;
}

/** The cells of a table's rows, without its head. */
export function rowsOf(table: string): string[][] {
  const lines = table.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}
