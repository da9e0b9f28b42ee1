/** `size`: bounds the head of a request. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { oneOf, ownMode, reference, size, strict } from "../../config/schema-fields.ts";

/** What the policy's `create` gets; absent for no bound. */
export interface SizeOptions {
  readonly headersBytes?: number | undefined;
  readonly urlBytes?: number | undefined;
  readonly queryKeys?: number | undefined;
}

const setting = strict("size", {
  headers: size
    .optional()
    .describe("All header fields together, names and values: `16kb`. The Node host itself takes 64kb with the URL"),
  url: size.optional().describe("Path and query as received: `8kb`"),
  queryKeys: oneOf("a whole number", [z.number(), reference])
    .optional()
    .describe("Parameters in the query, counted by their `&`"),
  mode: ownMode,
});

export const sizeSchema = {
  setting: setting.describe("Bounds the head of a request: `{ headers, url, queryKeys }`. `maxBody` bounds the body"),
  expects: "{ headers, url, queryKeys }",
  restricts: true,
  isPublic: true,
  compile({ headers, url, queryKeys }: z.output<typeof setting>, place: ConfigPath, fields: Fields): SizeOptions {
    if (headers === undefined && url === undefined && queryKeys === undefined) {
      fields.report.error("missing-key", place, "`headers`, `url` or `queryKeys` is missing.");
    }
    return {
      headersBytes: headers === undefined ? undefined : fields.value(headers, [...place, "headers"], "size"),
      urlBytes: url === undefined ? undefined : fields.value(url, [...place, "url"], "size"),
      queryKeys: queryKeys === undefined ? undefined : fields.value(queryKeys, [...place, "queryKeys"], "count"),
    };
  },
} satisfies KeySchema;
