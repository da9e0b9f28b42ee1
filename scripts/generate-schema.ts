/** Writes gateway.schema.json and the option tables of docs/config.md from the schema. A test holds them current. */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderJsonSchema, withOptionTables } from "../lib/config/published-schema.ts";

const root = dirname(import.meta.dirname);
const docs = join(root, "docs/config.md");
writeFileSync(join(root, "gateway.schema.json"), renderJsonSchema());
writeFileSync(docs, withOptionTables(readFileSync(docs, "utf8")));
