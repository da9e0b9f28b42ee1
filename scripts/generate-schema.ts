/** Writes gateway.schema.json, and the tables of docs/config.md, docs/policies.md and the READMEs of policies and authenticators. A test holds them current. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderJsonSchema, withOptionTables, withPolicyList } from "../lib/compiler/schema/published.ts";

const root = dirname(import.meta.dirname);
writeFileSync(join(root, "gateway.schema.json"), renderJsonSchema());
const pages = globSync("lib/{policies,authenticators}/*/README.md", { cwd: root });
for (const file of ["docs/config.md", "docs/policies.md", ...pages]) {
  const path = join(root, file);
  writeFileSync(path, withPolicyList(withOptionTables(readFileSync(path, "utf8"))));
}
