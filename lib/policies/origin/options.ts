/** `origin`: refuses what a page of another site made a browser send (CSRF). */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { oneOf, oneOrMore, ownMode, strict, verdict } from "../../config/schema-fields.ts";

/** What the policy's `create` gets. Patterns are canonical, a list for each entry: a variable may hold several. */
export interface OriginOptions {
  readonly allow: readonly (readonly string[])[];
  readonly deny: readonly (readonly string[])[];
  readonly unknown: "allow" | "deny";
}

const origins = oneOrMore("an origin or a list of them", z.string()).optional();

const full = strict("origin", {
  allow: origins.describe("Other sites whose pages may send: origins, as in `cors`. The site itself always may"),
  deny: origins.describe("Pages that may not, before anything else: say, one host below a `*` in `allow`"),
  unknown: verdict
    .optional()
    .describe('Requests with neither `Origin` nor `Sec-Fetch-Site`, which are not from a browser: "allow" (default) or "deny"'),
  mode: ownMode,
});
const setting = oneOf("true or { allow, deny, unknown }", [z.literal(true), full]);

export const originSchema = {
  setting: setting.describe(
    "Refuses unsafe methods that a page of another site made a browser send (CSRF): `true`, or `{ allow, deny, unknown }` with further origins",
  ),
  expects: "true, { allow, deny, unknown }",
  restricts: true,
  compile(input: z.output<typeof setting>, place: ConfigPath, fields: Fields): OriginOptions {
    const { allow, deny, unknown = "allow" } = input === true ? {} : input;
    return {
      allow: fields.list(allow, [...place, "allow"], "origins"),
      deny: fields.list(deny, [...place, "deny"], "origins"),
      unknown,
    };
  },
} satisfies KeySchema;
