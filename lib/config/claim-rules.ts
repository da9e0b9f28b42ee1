/** Rules on claims as a config writes them: `{ plan: "pro", org: ["a", "b"], email: "*@shop.example" }`. */
import { z } from "zod";
import type { ClaimRule } from "../contract/claims.ts";
import type { Fields } from "./fields.ts";
import type { ConfigPath } from "./issue.ts";
import { asList, oneOrMore } from "./schema-fields.ts";

const value = z.union([z.string(), z.number(), z.boolean()], { error: () => "a text, a number, true or false" });

export const claimRules = z.record(z.string(), oneOrMore("a value, or a list of values, any of which fits", value));

export function compileClaimRules(rules: z.output<typeof claimRules>, place: ConfigPath, fields: Fields): ClaimRule[] {
  return Object.entries(rules).map(([name, given]) => ({
    from: "claim",
    name,
    anyOf: asList<string | number | boolean>(given).flatMap((one) => {
      if (typeof one !== "string") return one;
      return fields.value(one, [...place, name], "string") ?? [];
    }),
  }));
}
