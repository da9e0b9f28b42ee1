/** `geo`: lets callers of some places in, or keeps them out. */
import type { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { compileRegion, region } from "../../config/region-setting.ts";
import { ownMode, strict, verdict } from "../../config/schema-fields.ts";
import type { Region } from "../../http/region.ts";

export interface GeoOptions {
  /** Absent: from everywhere that is not denied. */
  readonly allow?: Region | undefined;
  readonly deny?: Region | undefined;
  readonly unknown: "allow" | "deny";
}

const setting = strict("geo", {
  allow: region
    .optional()
    .describe('Only callers who are there: countries (`"DE"`), or `{ continents, countries, subdivisions, union }`'),
  deny: region.optional().describe("Not callers who are there; it counts before `allow`"),
  unknown: verdict
    .optional()
    .describe('A caller of whom it can\'t be told: "allow" or "deny"; by default "deny" where there is an `allow`'),
  mode: ownMode,
});

export const geoSchema = {
  setting: setting.describe("Lets callers of some places in, or keeps them out: `{ allow, deny, unknown }`"),
  expects: "{ allow, deny, unknown }",
  restricts: true,
  compile({ allow, deny, unknown }: z.output<typeof setting>, place: ConfigPath, fields: Fields): GeoOptions {
    if (allow === undefined && deny === undefined) fields.report.error("missing-key", place, "`allow` or `deny` is missing.");
    return {
      allow: allow === undefined ? undefined : compileRegion(allow, [...place, "allow"], fields),
      deny: deny === undefined ? undefined : compileRegion(deny, [...place, "deny"], fields),
      unknown: unknown ?? (allow === undefined ? "allow" : "deny"),
    };
  },
} satisfies KeySchema;
