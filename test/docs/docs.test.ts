/** Every document of the repository is held to the tree: links, commands, files, problem codes, and snippets that compile. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { COMMANDS } from "#lib/cli/commands.ts";
import { compileConfig } from "#lib/compiler/compile.ts";
import { loadConfig } from "#lib/compiler/load-config.ts";
import { parseEnvironment } from "#lib/config/env.ts";
import { isProblemCode, PROBLEMS } from "#lib/contract/problem.ts";
import { anchorsOf, type Block, blocksOf, proseOf, ROOT, readDocument, readDocuments } from "./documents.ts";

const documents = readDocuments();
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };

test("the documents are found", () => {
  const files = documents.map(({ file }) => file);
  for (const file of ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/design.md", "docs/deploy.md"])
    expect(files).toContain(file);
});

describe.each(documents)("$file", (document) => {
  const { file, text } = document;

  test("its links lead somewhere", () => {
    const broken = [...proseOf(document).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].flatMap(
      ([link, path, anchor]) => {
        const target = path === "" ? file : normalize(join(dirname(file), path!));
        if (!existsSync(join(ROOT, target))) return [link];
        return anchor === undefined || anchorsOf(readDocument(target)).includes(anchor) ? [] : [link];
      },
    );
    expect(broken).toEqual([]);
  });

  test("its commands exist", () => {
    const run = [...text.matchAll(/npm run (?:-s )?([\w:-]+)/g)].filter(([, name]) => !(name! in scripts));
    const frontdesk = [...text.matchAll(/npx frontdesk ([a-z]+)/g)].filter(
      ([, name]) => !COMMANDS.some((command) => command.name === name),
    );
    const vitest = [...text.matchAll(/npx vitest run ([\w./-]+)/g)].filter(([, path]) => !existsSync(join(ROOT, path!)));
    const node = [...text.matchAll(/`node ([\w./-]+\.\w+)/g)].filter(([, path]) => !existsSync(join(ROOT, path!)));
    expect([...run, ...frontdesk, ...vitest, ...node].map(([command]) => command)).toEqual([]);
  });

  test("the files that it names exist", () => {
    // A file of this repository: below one of its folders, or one of those at the root. `policies/` is the user's.
    const isOurs =
      /^(?:(?:\.ci|app|bench|demo|docs|lib|scripts|test)\/[\w.@[\]/-]+|(?:middleware|server|console-pages|gateway\.config|next\.config)\.ts|vercel\.json)$/;
    const named = [...proseOf(document).matchAll(/`([^`\s]+)`/g)].map(([, name]) => name!).filter((name) => isOurs.test(name));
    // Beside the document itself, too: test/golden/README.md names its neighbours.
    expect(named.filter((name) => !existsSync(join(ROOT, name)) && !existsSync(join(ROOT, dirname(file), name)))).toEqual([]);
  });

  test("its problem codes exist, with their status", () => {
    const pairs = [
      ...text.matchAll(/`([a-z]+(?:-[a-z]+)*)` (\d{3})\b/g),
      ...text.matchAll(/()\b(\d{3}) `([a-z]+(?:-[a-z]+)*)`(?!:)/g),
    ];
    const wrong = pairs.filter(([, before, status, after]) => {
      const code = before === "" ? after! : before!;
      return !isProblemCode(code) || PROBLEMS[code].status !== Number(status);
    });
    const pages = [...text.matchAll(/\/gateway\/problems\/(?!custom\/)([a-z-]+)/g)].filter(([, code]) => !isProblemCode(code!));
    expect([...wrong, ...pages].map(([what]) => what)).toEqual([]);
  });

  test("what it shows as JSON or YAML can be read", () => {
    for (const block of blocksOf(document)) {
      if (block.language === "json") expect(() => JSON.parse(block.text), block.place).not.toThrow();
      if (block.language === "yaml") expect(() => parse(block.text), block.place).not.toThrow();
    }
  });
});

describe("snippets in TypeScript", () => {
  // Inside of the repository, so that they find #frontdesk and the packages.
  const scratch = join(ROOT, ".frontdesk", "docs");
  // One that imports nothing and names no file of its own is a fragment.
  const modules = documents
    .flatMap(blocksOf)
    .filter(({ language, text }) => language === "ts" && /^import |^\/\/ \S+\.ts$/m.test(text));
  const configs = modules.filter(({ text }) => text.includes("export default defineGateway("));
  /** A first line such as `// lib/policies/teapot/teapot.ts` says where a snippet stands. */
  const pathOf = ({ place, text }: Block) => join(scratch, /^\/\/ (\S+\.ts)\n/.exec(text)?.[1] ?? place.replace(/\W/g, "-"), "");
  const fileOf = (block: Block) => (pathOf(block).endsWith(".ts") ? pathOf(block) : join(pathOf(block), "gateway.config.ts"));

  beforeAll(() => {
    rmSync(scratch, { recursive: true, force: true });
    for (const block of modules) {
      mkdirSync(dirname(fileOf(block)), { recursive: true });
      writeFileSync(fileOf(block), block.text);
    }
    // What a snippet imports by a relative path is the repository's file of that place.
    const settings = {
      extends: "../../tsconfig.json",
      compilerOptions: { rootDirs: [".", "../.."] },
      include: ["."],
      exclude: [],
    };
    writeFileSync(join(scratch, "tsconfig.json"), JSON.stringify(settings));
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  test("they are found", () => {
    const files = new Set(modules.map(({ place }) => place.split(":")[0]));
    for (const file of ["README.md", "CONTRIBUTING.md", "docs/config.md", "docs/deploy.md"]) expect([...files]).toContain(file);
    expect(configs.length).toBeGreaterThan(3);
  });

  test("they pass tsc", async () => {
    const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    const said = await new Promise<string>((resolve) => {
      execFile(process.execPath, [tsc, "--noEmit", "-p", scratch], { cwd: ROOT, encoding: "utf8" }, (_, out, err) =>
        resolve(out + err),
      );
    });
    // The tree around them is checked by `npm run types`.
    expect(said.split("\n").filter((line) => line.startsWith(".frontdesk/docs/") || line.startsWith("error"))).toEqual([]);
  }, 60_000);

  test.each(configs)("the config at $place compiles", async (block) => {
    const environment = parseEnvironment({});
    const source = await loadConfig(environment, { cwd: scratch, file: fileOf(block) });
    const { config } = compileConfig(source, { vercel: true });
    expect(config.routes.length).toBeGreaterThan(0);
  });
});
