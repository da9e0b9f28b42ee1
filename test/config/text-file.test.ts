/** Files as editors on every system write them: byte order marks and CRLF pass, other encodings are refused with their place. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { EnvFile } from "#lib/cli/env-file.ts";
import { readVercelJson } from "#lib/compiler/checks/regions.ts";
import { loadConfig } from "#lib/compiler/load-config.ts";
import { parseEnvironment, readEnvironment } from "#lib/config/env.ts";
import { checkout } from "../cli/checkout.ts";

// Inside of the repository, so that a config in TypeScript finds #frontdesk.
const cwd = mkdtempSync(join(import.meta.dirname, "../../.frontdesk/text-files-"));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const save = (name: string, text: string | Uint8Array) => writeFileSync(join(cwd, name), text);
const load = (file: string) => loadConfig(parseEnvironment({}), { cwd, file });

const CONFIGS = {
  "a.ts": 'import { defineGateway } from "#frontdesk";\nexport default defineGateway({ routes: [] });\n',
  "a.yaml": "routes:\n  []\n",
  "a.json": '{\n  "routes": []\n}\n',
};

describe.each(Object.entries(CONFIGS))("%s", (name, text) => {
  test("with a byte order mark and CRLF is read", async () => {
    save(name, `\uFEFF${text.replaceAll("\n", "\r\n")}`);
    expect((await load(name)).value).toEqual({ routes: [] });
  });

  test("in UTF-16 is refused", async () => {
    save(name, Buffer.from(text, "utf16le"));
    await expect(load(name)).rejects.toThrow(`${name}:1:2: it is not UTF-8: there is a zero byte, as UTF-16 has. Save the file`);
  });

  test("in latin-1 is refused where its first such byte stands", async () => {
    const lines = text.split("\n").length;
    save(name, Buffer.from(`${text}# é`, "latin1"));
    await expect(load(name)).rejects.toThrow(`${name}:${lines}:3: it is not UTF-8: there is a byte that is none of UTF-8's.`);
  });
});

describe(".env", () => {
  test("with a byte order mark and CRLF is read, its first line too", () => {
    save(".env", "\uFEFFFIRST=1\r\nSECOND=two\r\n");
    const { FIRST, SECOND } = readEnvironment(cwd).variables;
    expect([FIRST, SECOND]).toEqual(["1", "two"]);
  });

  test("in another encoding is refused with its place", () => {
    save(".env", Buffer.from("A=1\nB=\xe9\n", "latin1"));
    expect(() => readEnvironment(cwd)).toThrow(".env:2:3: it is not UTF-8");
    rmSync(join(cwd, ".env"));
  });

  test("keeps its line ends when a secret is written into it, in place of an empty line", () => {
    save(".env.local", "NAME=\r\nOTHER=1\r\n");
    const file = new EnvFile(join(cwd, ".env.local"));
    file.set("NAME", "value", "what it is");
    file.set("NEW", "too", "another");
    file.save();
    expect(readFileSync(join(cwd, ".env.local"), "utf8")).toBe("NAME=value\r\nOTHER=1\r\n# another\r\nNEW=too\r\n");
  });
});

test("vercel.json with a byte order mark is read", () => {
  save("vercel.json", '\uFEFF{ "regions": ["fra1"] }');
  expect(readVercelJson(cwd)).toEqual({ regions: ["fra1"] });
});

describe("a TypeScript config that can't be loaded says where", () => {
  // By the command: a test runner loads TypeScript in a way of its own.
  test.each([
    ["a fault of the syntax", 'export default {\n  routes: [{ path: "/" auth: "none" }],\n};\n', "broken.ts:2:24: "],
    ["a name that is not there", "export default {\n  routes: nothing,\n};\n", "broken.ts:2:11: "],
    ["syntax that Node does not erase", "export default {};\nenum A { b }\n", "broken.ts:2:1: "],
    ["an import of the package's name", 'import "frontdesk";\nexport default {};\n', 'The import is "#frontdesk".'],
  ])("%s", async (_, text, words) => {
    const { code, err } = await checkout({ "broken.ts": text }).frontdesk("check", "broken.ts");
    expect(code).toBe(1);
    expect(err).toContain(words);
    expect(err).toContain("it can't be loaded: ");
  });
});
