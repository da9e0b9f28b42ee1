/** `headers`: sets, appends and removes header fields of the request to the backend and of the answer. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import { headerNames, headerTemplates, type Side } from "../../config/header-fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import { reportLiteralSecret } from "../../config/literal-secret.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { asList, oneOrMore, strict } from "../../config/schema-fields.ts";
import type { Template } from "../../contract/template.ts";

/** What the policy's `create` gets. Names in lower case; applied in the order remove, set, append. */
export interface HeadersOptions {
  readonly request: HeaderChanges;
  readonly response: HeaderChanges;
}
export interface HeaderChanges {
  readonly set: readonly (readonly [name: string, value: Template])[];
  readonly append: readonly (readonly [name: string, value: Template])[];
  readonly remove: readonly string[];
}

const values = z.record(z.string(), oneOrMore("a text or a list of texts", z.string()));
const changes = (name: string) =>
  strict(name, {
    set: z
      .record(z.string(), z.string())
      .optional()
      .describe(
        "Replaces every field of that name. Values may hold request values; where the value is empty, the field is left out",
      ),
    append: values.optional().describe("Adds a field, one for each value that is not empty. Values may hold request values"),
    remove: oneOrMore("the name of a header or a list of them", z.string())
      .optional()
      .describe("Removes every field of these names"),
  });

const setting = strict("headers", {
  request: changes("headers.request").optional().describe("What goes to the backend"),
  response: changes("headers.response").optional().describe("What goes to the caller, whoever made the answer"),
});

export const headersSchema = {
  setting: setting.describe(
    "Changes header fields: `{ request: { set, append, remove }, response: { … } }`. The gateway's own fields and those that frame a message can't be changed",
  ),
  expects: "{ request, response }",
  compile(input: z.output<typeof setting>, place: ConfigPath, fields: Fields): HeadersOptions {
    const side = (name: Side): HeaderChanges => {
      const { set = {}, append = {}, remove } = input[name] ?? {};
      const at = [...place, name];
      const removed = asList(remove);
      if (name === "request")
        for (const [field, value] of Object.entries(set)) reportLiteralSecret(field, value, [...at, "set", field], fields.report);
      const placeOf = (_: string, index: number) => (Array.isArray(remove) ? [...at, "remove", index] : [...at, "remove"]);
      const result = {
        set: headerTemplates(set, name, [...at, "set"], fields),
        append: headerTemplates(append, name, [...at, "append"], fields),
        remove: headerNames(removed, name, placeOf, fields).map(([lower]) => lower),
      };
      const setNames = new Set(result.set.map(([lower]) => lower));
      for (const lower of result.remove) {
        if (setNames.has(lower))
          fields.report.error("header-twice", [...at, "remove"], `\`${lower}\` is both set and removed; setting it replaces it.`);
      }
      return result;
    };
    return { request: side("request"), response: side("response") };
  },
  /** Without the request: no backend gets it. */
  unrouted({ response }: HeadersOptions): HeadersOptions | undefined {
    const changes = response.set.length + response.append.length + response.remove.length;
    return changes > 0 ? { request: { set: [], append: [], remove: [] }, response } : undefined;
  },
} satisfies KeySchema;
