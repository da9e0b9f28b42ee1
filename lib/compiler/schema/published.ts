/** What is published of the schema: gateway.schema.json for editors, the option tables of docs/config.md and the policies' READMEs, and the list of policies. */
import { z } from "zod";
import { PLACES } from "../../config/schema-fields.ts";
import { POLICIES } from "../../policies/index.ts";
import { POLICY_SCHEMAS } from "../../policies/schemas.ts";
import { gatewaySchema } from "./gateway.ts";

/** JSON Schema of a config in JSON or YAML. */
export function renderJsonSchema(): string {
  const schema = z.toJSONSchema(gatewaySchema, {
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      // Custom policies are functions, which neither JSON nor YAML can hold.
      if (jsonSchema.properties && "encodedSlash" in jsonSchema.properties) delete jsonSchema.properties.use;
    },
  });
  return `${JSON.stringify({ title: "Frontdesk", ...schema }, null, 2)}\n`;
}

const TABLE = /(<!-- options: ([\w.]+) -->\n)[\s\S]*?(<!-- \/options -->)/g;

/** The document with the tables between its markers written anew. */
export function withOptionTables(document: string): string {
  return document.replace(TABLE, (_, open: string, place: string, close: string) => `${open}${optionTable(place)}${close}`);
}

function optionTable(name: string): string {
  const place = PLACES.get(name);
  if (!place) throw new Error(`a document has a table for "${name}", which is no place of the schema`);
  const rows = Object.entries(place.shape).map(([key, schema]) => {
    const description =
      (schema as z.ZodType).description ??
      (schema instanceof z.ZodOptional ? (schema.unwrap() as z.ZodType).description : undefined);
    if (!description) throw new Error(`the schema does not describe ${name}.${key}`);
    return `| \`${key}\` | ${description.replaceAll("|", "\\|")} |\n`;
  });
  const notBuilt =
    place.notBuilt.length > 0
      ? `\nDesigned, not built in this version, and an error until then: ${place.notBuilt.map((key) => `\`${key}\``).join(", ")}.\n`
      : "";
  return `| key | meaning |\n|---|---|\n${rows.join("")}${notBuilt}`;
}

const LIST = /(<!-- policies -->\n)[\s\S]*?(<!-- \/policies -->)/g;

/** The document with the list between its markers written anew. */
export function withPolicyList(document: string): string {
  const rows = [...POLICIES.values()].map(({ name, phase = "–", refuses }) => {
    const schema = POLICY_SCHEMAS[name as keyof typeof POLICY_SCHEMAS];
    const { description = "" } = "setting" in schema ? schema.setting : schema;
    const codes = refuses.map((code) => `\`${code}\``).join(", ") || "–";
    return `| [\`${name}\`](../lib/policies/${folderOf(name)}/README.md) | ${description.replaceAll("|", "\\|")} | ${phase} | ${codes} |\n`;
  });
  const table = `| policy | what it does | phase | refuses with |\n|---|---|---|---|\n${rows.join("")}`;
  return document.replace(LIST, (_, open: string, close: string) => `${open}${table}${close}`);
}

/** `userAgent` lives in `user-agent`. */
export function folderOf(policy: string): string {
  return policy.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
