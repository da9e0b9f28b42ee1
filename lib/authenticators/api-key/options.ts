/** `apiKey`: keys that the gateway hands out, or whose digests stand in the config. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import { headerName } from "../../config/header-fields.ts";
import type { ConfigPath } from "../../config/issue.ts";
import { oneOrMore, strict } from "../../config/schema-fields.ts";
import type { Json } from "../../contract/json.ts";
import type { CredentialSource } from "../../http/credential.ts";

export interface ApiKeyOptions {
  readonly prefix: string;
  readonly sources: readonly CredentialSource[];
  /** Null: they are in the store. */
  readonly keys: readonly ConfiguredKey[] | null;
}

export interface ConfiguredKey {
  readonly name: string;
  readonly digest: string;
  readonly consumer: string;
  readonly scopes: readonly string[];
  readonly tier: string | null;
  readonly metadata: Readonly<Record<string, Json>>;
  readonly expiresSeconds: number | null;
  /** A list for each entry: a variable may hold several. */
  readonly ips: readonly (readonly string[])[] | null;
  readonly routes: readonly string[] | null;
}

const STANDARD_SOURCES: readonly CredentialSource[] = [
  { in: "header", name: "x-api-key" },
  { in: "authorization", scheme: "bearer" },
];

const key = strict("apiKey.digest", {
  name: z.string().describe("For people: which key it is"),
  digest: z
    .string()
    .describe("SHA-256 of the whole key in base64url, as `frontdesk keys create --static` prints it; may be a reference"),
  consumer: z.string().describe("Who calls with it"),
  scopes: oneOrMore("a scope, or a list of them", z.string()).optional().describe("What it may do"),
  tier: z.string().optional().describe("The consumer's tier"),
  metadata: z.record(z.string(), z.json()).optional().describe("Claims of the consumer, beside `sub`"),
  expires: z.string().optional().describe("From this date on it is refused: `2027-01-31` or `2027-01-31T12:00:00Z`"),
  ips: oneOrMore("an address or range, or a list of them", z.string())
    .optional()
    .describe("It is taken from these addresses and CIDR ranges alone"),
  routes: oneOrMore("the path of a route, or a list of them", z.string())
    .optional()
    .describe("It is good for these routes alone: their paths as they stand in the config"),
});

const setting = strict("apiKey", {
  prefix: z.string().optional().describe("What keys begin with: `fd` by default, which makes `fd_live_…`"),
  header: z
    .string()
    .optional()
    .describe("Read from this header field; `x-api-key` and `Authorization: Bearer` where no place is named"),
  query: z.string().optional().describe("Read from this query parameter, which does not go on to the backend"),
  cookie: z.string().optional().describe("Read from this cookie"),
  digests: z
    .array(key)
    .min(1)
    .optional()
    .describe("Keys that stand in the config, by their digests; the store is not asked then"),
});

export const apiKeySchema = {
  setting: setting.describe(
    "Keys that the gateway hands out (`frontdesk keys`, the admin API), or whose digests stand in the config",
  ),
  compile(given: z.output<typeof setting>, place: ConfigPath, fields: Fields): ApiKeyOptions {
    const { prefix = "fd", digests } = given;
    if (!/^[a-z][a-z0-9]{1,15}$/.test(prefix))
      fields.report.error(
        "value-format",
        [...place, "prefix"],
        `${JSON.stringify(prefix)} is no prefix for keys: 2 to 16 lower-case letters and digits, beginning with a letter.`,
      );
    return {
      prefix,
      sources: sourcesOf(given, place, fields),
      keys: digests === undefined ? null : digests.map((one, index) => compileKey(one, [...place, "digests", index], fields)),
    };
  },
  /** Keys that are made while the gateway runs must be found by every instance, and after a restart. */
  needsStore: ({ keys }: ApiKeyOptions): boolean => keys === null,
};

function sourcesOf(
  { header, query, cookie }: z.output<typeof setting>,
  place: ConfigPath,
  fields: Fields,
): readonly CredentialSource[] {
  const sources: CredentialSource[] = [];
  if (header !== undefined) {
    const name = headerName(header, "request", [...place, "header"], fields);
    if (name === "authorization") sources.push({ in: "authorization", scheme: "bearer" });
    else if (name !== undefined) sources.push({ in: "header", name });
  }
  for (const [where, name] of [
    ["query", query],
    ["cookie", cookie],
  ] as const) {
    if (name === undefined) continue;
    // RFC 6265 section 4.1.1 for cookies; a parameter that needed escapes would have two spellings.
    if (/^[\w.~-]+$/.test(name)) sources.push({ in: where, name });
    else
      fields.report.error(
        "value-format",
        [...place, where],
        `expected letters, digits and - _ . ~, got ${JSON.stringify(name)}.`,
      );
  }
  return header === undefined && query === undefined && cookie === undefined ? STANDARD_SOURCES : sources;
}

function compileKey(given: z.output<typeof key>, place: ConfigPath, fields: Fields): ConfiguredKey {
  const { name, digest, consumer, scopes, tier = null, metadata = {}, expires, ips, routes } = given;
  return {
    name,
    digest: fields.value(digest, [...place, "digest"], "digest") ?? "",
    consumer,
    scopes: fields.list(scopes, [...place, "scopes"], "string"),
    tier,
    metadata: metadata as Readonly<Record<string, Json>>,
    expiresSeconds: expires === undefined ? null : (fields.value(expires, [...place, "expires"], "date") ?? null),
    ips: ips === undefined ? null : fields.list(ips, [...place, "ips"], "ranges"),
    routes: routes === undefined ? null : fields.list(routes, [...place, "routes"], "string"),
  };
}
