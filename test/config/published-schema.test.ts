import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { renderJsonSchema, withOptionTables } from "../../lib/config/published-schema.ts";
import { PLACES } from "../../lib/config/schema-fields.ts";

const root = join(import.meta.dirname, "../..");
const docs = readFileSync(join(root, "docs/config.md"), "utf8");

describe("what is published of the schema (node scripts/generate-schema.ts writes it)", () => {
  test("gateway.schema.json is current", () =>
    expect(readFileSync(join(root, "gateway.schema.json"), "utf8")).toBe(renderJsonSchema()));

  test("the tables of docs/config.md are current", () => expect(withOptionTables(docs)).toBe(docs));

  test("every place of the schema has its table", () => {
    // Both sides of `headers` have the same keys.
    const missing = [...PLACES.keys()].filter(
      (place) => place !== "headers.response" && !docs.includes(`<!-- options: ${place} -->`),
    );
    expect(missing).toEqual([]);
  });
});
