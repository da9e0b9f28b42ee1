/** `userAgent`: keeps kinds of clients out by what they say they are. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { asList, oneOrMore, ownMode, strict, verdict } from "../../config/schema-fields.ts";

/** What the policy's `create` gets. */
export interface UserAgentOptions {
  /** Absent: every client that is not denied. */
  readonly allow?: readonly string[] | undefined;
  readonly deny: readonly string[];
  readonly unknown: "allow" | "deny";
}

const patterns = oneOrMore("a text or a list of texts", z.string()).optional();

const setting = strict("userAgent", {
  allow: patterns.describe(
    "Only clients whose `User-Agent` holds one of these texts, in any case; with a `*`, fits it from end to end",
  ),
  deny: patterns.describe("Not these; they count before `allow`"),
  unknown: verdict
    .optional()
    .describe('Requests without a `User-Agent`: "allow" or "deny"; by default "deny" where there is an `allow`'),
  mode: ownMode,
});

export const userAgentSchema = {
  setting: setting.describe("Keeps kinds of clients out by their `User-Agent`: `{ allow, deny, unknown }`, texts with `*`"),
  expects: "{ allow, deny, unknown }",
  restricts: true,
  compile({ allow, deny, unknown }: z.output<typeof setting>, place: ConfigPath, fields: Fields): UserAgentOptions {
    if (allow === undefined && deny === undefined) fields.report.error("missing-key", place, "`allow` or `deny` is missing.");
    return {
      allow: allow === undefined ? undefined : patternsOf(allow, [...place, "allow"], fields),
      deny: patternsOf(deny, [...place, "deny"], fields),
      unknown: unknown ?? (allow === undefined ? "allow" : "deny"),
    };
  },
} satisfies KeySchema;

function patternsOf(input: string | readonly string[] | undefined, place: ConfigPath, fields: Fields): string[] {
  for (const [index, pattern] of asList(input).entries()) {
    if (/^\**$/.test(pattern))
      fields.report.error("wrong-value", Array.isArray(input) ? [...place, index] : place, "every client fits this.");
  }
  return fields.list(input, place, "header");
}
