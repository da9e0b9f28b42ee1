/** `ip`: lets addresses in or keeps them out. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { oneOrMore, ownMode, strict, verdict } from "../../config/schema-fields.ts";

/** What the policy's `create` gets. Ranges are canonical, a list for each entry: a variable may hold several. */
export interface IpOptions {
  /** Absent: everybody who is not denied. */
  readonly allow?: readonly (readonly string[])[] | undefined;
  readonly deny: readonly (readonly string[])[];
  readonly unknown: "allow" | "deny";
}

const ranges = oneOrMore("an address or range, or a list of them", z.string()).optional();

const setting = strict("ip", {
  allow: ranges.describe("Only these addresses and CIDR ranges (`203.0.113.7`, `10.0.0.0/8`, `2001:db8::/32`)"),
  deny: ranges.describe("Not these; they count before `allow`"),
  unknown: verdict
    .optional()
    .describe('A caller whose address is not known: "allow" or "deny"; by default "deny" where there is an `allow`'),
  mode: ownMode,
});

export const ipSchema = {
  setting: setting.describe("Lets addresses in or keeps them out: `{ allow, deny, unknown }`, addresses and CIDR ranges"),
  expects: "{ allow, deny, unknown }",
  restricts: true,
  compile({ allow, deny, unknown }: z.output<typeof setting>, place: ConfigPath, fields: Fields): IpOptions {
    if (allow === undefined && deny === undefined) fields.report.error("missing-key", place, "`allow` or `deny` is missing.");
    return {
      allow: allow === undefined ? undefined : fields.list(allow, [...place, "allow"], "ranges"),
      deny: fields.list(deny, [...place, "deny"], "ranges"),
      unknown: unknown ?? (allow === undefined ? "allow" : "deny"),
    };
  },
} satisfies KeySchema;
