/** `deprecated`: tells callers that a route is on its way out. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { isReference } from "../../config/references.ts";
import { strict } from "../../config/schema-fields.ts";

/** What the policy's `create` gets; seconds since 1970. */
export interface DeprecatedOptions {
  readonly sinceSeconds: number;
  readonly sunsetSeconds?: number | undefined;
  readonly link?: string | undefined;
}

const date = z.string().meta({ examples: ["2027-01-31", "2027-01-31T12:00:00Z"] });

const setting = strict("deprecated", {
  since: date.describe(
    "Since when, or from when, it is deprecated: `2027-01-31` (the day's start in UTC) or `2027-01-31T12:00:00Z`",
  ),
  sunset: date.optional().describe("From when it may be gone; not before `since`"),
  link: z.string().optional().describe("An http or https URL that tells callers what to do"),
});

export const deprecatedSchema = {
  setting: setting.describe(
    "Tells callers that the route is on its way out: `{ since, sunset, link }` become `Deprecation`, `Sunset` and `Link`",
  ),
  expects: "{ since, sunset, link }",
  isPublic: true,
  compile({ since, sunset, link }: z.output<typeof setting>, place: ConfigPath, fields: Fields): DeprecatedOptions {
    const sinceSeconds = fields.value(since, [...place, "since"], "date") ?? 0;
    const sunsetSeconds = sunset === undefined ? undefined : fields.value(sunset, [...place, "sunset"], "date");
    // RFC 9745 section 4.
    if (
      sunsetSeconds !== undefined &&
      !isReference(sunsetSeconds) &&
      !isReference(sinceSeconds) &&
      sunsetSeconds < sinceSeconds
    ) {
      fields.report.error("date-order", [...place, "sunset"], "it would be gone before it is deprecated.");
    }
    return {
      sinceSeconds,
      sunsetSeconds,
      link: link === undefined ? undefined : fields.value(link, [...place, "link"], "link"),
    };
  },
} satisfies KeySchema;
