import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { renderJsonSchema, withOptionTables, withPolicyList } from "../../../lib/compiler/schema/published.ts";
import { PLACES } from "../../../lib/config/schema-fields.ts";

const root = join(import.meta.dirname, "../../..");
const documents = ["docs/config.md", "docs/policies.md", ...globSync("lib/{policies,authenticators}/*/README.md", { cwd: root })];
const textOf = (file: string) => readFileSync(join(root, file), "utf8");

describe("what is published of the schema (node scripts/generate-schema.ts writes it)", () => {
  test("gateway.schema.json is current", () => expect(textOf("gateway.schema.json")).toBe(renderJsonSchema()));

  test.each(documents)("the tables of %s are current", (file) =>
    expect(withPolicyList(withOptionTables(textOf(file)))).toBe(textOf(file)),
  );

  test("every place of the schema has its table", () => {
    const all = documents.map(textOf).join("\n");
    // Both sides of `headers` have the same keys.
    const missing = [...PLACES.keys()].filter(
      (place) => place !== "headers.response" && !all.includes(`<!-- options: ${place} -->`),
    );
    expect(missing).toEqual([]);
  });
});
