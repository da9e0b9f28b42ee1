import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../lib/compiler/load-config.ts";
import { parseEnvironment } from "../../lib/config/env.ts";

// Inside of the repository, so that a config in TypeScript finds #frontdesk.
const cwd = join(import.meta.dirname, "../../.frontdesk/load-test");
beforeAll(() => mkdirSync(cwd, { recursive: true }));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe("loadConfig", () => {
  test("a TypeScript config is read anew at each call", async () => {
    const file = join(cwd, "gateway.config.ts");
    const write = (body: string) =>
      writeFileSync(
        file,
        `import { defineGateway } from "#frontdesk";\nexport default defineGateway({ routes: [{ path: "/", auth: "none", respond: { body: "${body}" } }] });\n`,
      );
    const environment = parseEnvironment({});
    write("one");
    expect(await loadConfig(environment, { cwd })).toMatchObject({
      origin: "gateway.config.ts",
      module: file,
      value: { routes: [{ respond: { body: "one" } }] },
    });
    write("two");
    expect((await loadConfig(environment, { cwd })).value).toMatchObject({ routes: [{ respond: { body: "two" } }] });
  });

  test("a TypeScript config that throws says why", async () => {
    writeFileSync(join(cwd, "broken.ts"), 'throw new Error("no such thing");\n');
    await expect(loadConfig(parseEnvironment({}), { cwd, file: "broken.ts" })).rejects.toThrow(
      "it can't be loaded: no such thing",
    );
  });

  test("a file that is named takes the place of every variable", async () => {
    writeFileSync(join(cwd, "named.yaml"), "routes: []\n");
    const environment = parseEnvironment({ GATEWAY_CONFIG: "{}", GATEWAY_ROUTES: "x" });
    expect(await loadConfig(environment, { cwd, file: "named.yaml" })).toMatchObject({
      origin: "named.yaml",
      value: { routes: [] },
    });
  });

  test("JSON indented by tabs, with CRLF, keeps its positions", async () => {
    const text = '{\r\n\t"routes": [\r\n\t\t{\r\n\t\t\t"path": "/a\\tb",\r\n\t\t\t"auth": "none"\r\n\t\t}\r\n\t]\r\n}';
    const source = await loadConfig(parseEnvironment({ GATEWAY_CONFIG: text }), { cwd });
    expect(source.value).toEqual(JSON.parse(text));
    expect(source.locate(["routes", 0, "auth"])).toEqual({ line: 5, column: 4 });
    expect(source.locate(["routes", 0, "backend"])).toEqual({ line: 3, column: 3 });
  });

  test.each(["__proto__:\n  a: b\n", "routes: [{ headers: { request: { set: { __proto__: x } } } }]"])(
    "a key that would be lost is refused: %j",
    async (text) => {
      writeFileSync(join(cwd, "lost.yaml"), text);
      await expect(loadConfig(parseEnvironment({}), { cwd, file: "lost.yaml" })).rejects.toThrow("`__proto__` can't be a key");
    },
  );

  test("YAML that grows without bounds is refused", async () => {
    const layers = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`);
    writeFileSync(join(cwd, "bomb.yaml"), ["a0: &a0 [x]", ...layers].join("\n"));
    await expect(loadConfig(parseEnvironment({}), { cwd, file: "bomb.yaml" })).rejects.toThrow("bomb.yaml");
  });
});
