/** `trust`: who is believed about the caller, and about what. */
import { z } from "zod";
import { Fields } from "../config/fields.ts";
import { TOKEN } from "../config/header-fields.ts";
import type { ConfigPath, Report } from "../config/issue.ts";
import { asList, oneOf, oneOrMore, strict } from "../config/schema-fields.ts";
import type { CompiledConfig } from "../contract/compiled/config.ts";
import { ADDRESS_FIELDS } from "../http/field-kinds.ts";
import { GEO_FIELDS, type GeoFields } from "../http/geo-fields.ts";

const field = z.string().optional();
const PARTS = ["continent", "country", "subdivision", "city", "latitude", "longitude", "timezone"] as const;

const geoFields = strict("trust.geo", {
  continent: field.describe("The field with the continent: `EU`"),
  country: field.describe("The field with the country: `DE`"),
  subdivision: field.describe("The field with the state or province, without its country: `BE`"),
  city: field.describe("The field with the city, in UTF-8 or percent-encoded"),
  latitude: field.describe("The field with the latitude in degrees"),
  longitude: field.describe("The field with the longitude in degrees"),
  timezone: field.describe("The field with the time zone: `Europe/Berlin`"),
});

const frontends = strict("trust.frontends", {
  secret: oneOrMore("a secret by reference, or a list of them", z.string()).describe(
    "A secret by reference, shared with the frontends: at least 32 bytes. Several frontends have one each, in a list; `new,old` in a variable rotates it",
  ),
});

const platforms = Object.keys(GEO_FIELDS) as (keyof typeof GEO_FIELDS)[];

export const trust = strict("trust", {
  proxies: oneOrMore("an address or range, or a list of them", z.string())
    .optional()
    .describe(
      "Addresses and CIDR ranges of the proxies in front of the Node host. Only from these is `field` believed. `GATEWAY_TRUST_PROXY` adds to them",
    ),
  field: z
    .enum(["x-forwarded-for", "forwarded"])
    .optional()
    .describe(
      'The field in which `proxies` name the caller: "x-forwarded-for" (default), with `-Proto` and `-Host`, or "forwarded". The other one is the caller\'s own, and ignored',
    ),
  pass: oneOrMore("the name of a field or a list of them", z.string())
    .optional()
    .describe(
      "Fields in which `proxies` name the caller to backends: `CF-Connecting-IP`. They go on when one of `proxies` sends them; all such fields are dropped otherwise",
    ),
  geo: oneOf(`${platforms.map((name) => `"${name}"`).join(", ")}, or fields by part`, [z.enum(platforms), geoFields])
    .optional()
    .describe(
      'Whose header fields say where the caller is, when they come from one of `proxies`: "cloudflare", "cloudfront", "vercel", or fields by part: `{ country: "x-country" }`. Any other proxy passes a caller\'s own copy on',
    ),
  frontends: frontends
    .optional()
    .describe(
      "Frontends whose own middleware signs who calls, in `x-gateway-client`: `{ secret }`. On both hosts. Without it, behind a frontend's rewrite, the caller may be the frontend's edge",
    ),
});

/** Where the config runs, as far as that decides who is believed. */
interface Believers {
  readonly vercel: boolean;
  /** Whether GATEWAY_TRUST_PROXY names proxies. Absent where it is not known. */
  readonly trustsProxy?: boolean | undefined;
}

export function compileTrust(input: z.output<typeof trust>, where: Believers, report: Report): CompiledConfig["trust"] {
  const { proxies, field, pass, geo, frontends } = input;
  const fields = new Fields(report);
  const place = ["trust"];
  reportUnused(input, where, report);
  return {
    // A list for each entry, which may be a reference: flat once references are resolved.
    proxies: fields.list(proxies, [...place, "proxies"], "ranges") as unknown as readonly string[],
    ...(field === "forwarded" && { field }),
    ...(pass !== undefined && { pass: passedFields(pass, [...place, "pass"], report) }),
    geo: geo === undefined ? undefined : typeof geo === "string" ? GEO_FIELDS[geo] : namedFields(geo, [...place, "geo"], report),
    frontends: frontends === undefined ? [] : secretsOf(frontends.secret, [...place, "frontends", "secret"], fields),
  };
}

/** Whether any address is trusted, or may be. */
export function mayTrustProxies({ proxies }: z.output<typeof trust>, { trustsProxy }: Believers): boolean {
  return asList(proxies).length > 0 || trustsProxy !== false;
}

function reportUnused(input: z.output<typeof trust>, where: Believers, report: Report): void {
  const { proxies, field, pass, geo } = input;
  for (const [key, value] of Object.entries({ proxies, field, pass, geo })) {
    if (value === undefined) continue;
    const place = ["trust", key];
    if (where.vercel) report.warn("useless-setting", place, "ignored, since Vercel alone says who calls.");
    else if (key !== "proxies" && !mayTrustProxies(input, where))
      report.warn(
        "useless-setting",
        place,
        "no proxy is trusted, and so nobody is believed.",
        "Name the proxies' addresses in `trust.proxies` or GATEWAY_TRUST_PROXY.",
      );
  }
}

/** A list for each entry too: a variable may hold `new,old`. */
function secretsOf(secret: string | readonly string[], place: ConfigPath, fields: Fields): readonly string[] {
  if (asList(secret).some((one) => !one.includes("${env.")))
    fields.report.error(
      "secret-in-config",
      place,
      "a secret stands in the config itself.",
      'Write env("NAME") and keep it in the environment.',
    );
  return fields.list(secret, place, "secrets256") as unknown as readonly string[];
}

function passedFields(input: string | readonly string[], place: ConfigPath, report: Report): string[] {
  return asList(input).map((name, index) => {
    const lower = name.toLowerCase();
    if (!ADDRESS_FIELDS.includes(lower))
      report.error(
        "wrong-value",
        Array.isArray(input) ? [...place, index] : place,
        `${JSON.stringify(name)} is not a field that is dropped for naming the caller.`,
        `Those are ${ADDRESS_FIELDS.join(", ")}.`,
      );
    return lower;
  });
}

function namedFields(given: z.output<typeof geoFields>, place: ConfigPath, report: Report): GeoFields {
  const entries = PARTS.map((part): [keyof GeoFields, string | null] => {
    const name = given[part];
    if (name !== undefined && !TOKEN.test(name))
      report.error("header-name", [...place, part], `${JSON.stringify(name)} is not the name of a header field.`);
    return [part, name?.toLowerCase() ?? null];
  });
  return Object.fromEntries(entries) as unknown as GeoFields;
}
