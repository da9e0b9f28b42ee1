/** The authenticators' pages can fail: every config that they show compiles, and each kind has a page. */
import { globSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { AUTHENTICATOR_SCHEMAS } from "#lib/authenticators/schemas.ts";
import { compileConfig } from "#lib/compiler/compile.ts";
import { folderOf } from "#lib/compiler/schema/published.ts";
import { blocksOf, ROOT, readDocument } from "../docs/documents.ts";

const kinds = Object.keys(AUTHENTICATOR_SCHEMAS);
const pages = globSync("lib/authenticators/*/README.md", { cwd: ROOT }).sort();

test("every kind has its page", () => {
  expect(pages).toEqual(kinds.map((kind) => `lib/authenticators/${folderOf(kind)}/README.md`).sort());
});

describe.each(pages)("%s", (page) => {
  const configs = blocksOf(readDocument(page)).filter(({ language }) => language === "yaml");

  test("it shows a config", () => expect(configs.length).toBeGreaterThan(0));

  test.each(configs)("the config at $place compiles without a warning", ({ text }) => {
    const config = parse(text) as { auth: object; routes?: object[] };
    const routes = config.routes ?? [{ path: "/", auth: Object.keys(config.auth), respond: { body: "" } }];
    const source = { value: { ...config, routes }, origin: page, locate: () => undefined };
    expect(compileConfig(source, { vercel: true }).warnings).toEqual([]);
  });
});
