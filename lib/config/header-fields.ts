/** Header fields in the config: names that are tokens and not the gateway's own, values as templates. */
import type { Template } from "../contract/template.ts";
import type { Fields } from "./fields.ts";
import type { ConfigPath } from "./issue.ts";

/** RFC 9110 section 5.6.2. */
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** RFC 9110 section 7.6.1, and what frames a message: a config that could write these could split or smuggle messages. */
const FRAMING = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
]);
/** The gateway writes these itself, on each side. */
const OWN = {
  request: new Set([
    "host",
    "expect",
    "via",
    "forwarded",
    "x-request-id",
    "traceparent",
    "tracestate",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-prefix",
  ]),
  response: new Set(["content-encoding", "x-request-id", "cache-status"]),
} as const;
const OWN_PREFIXES = ["x-gateway-", "x-middleware-"];

export type Side = keyof typeof OWN;

/** The name in lower case, or undefined after a fault that was reported. */
export function headerName(name: string, side: Side, place: ConfigPath, { report }: Fields): string | undefined {
  if (!TOKEN.test(name)) {
    report.error("header-name", place, `${JSON.stringify(name)} is not the name of a header field.`);
    return undefined;
  }
  const lower = name.toLowerCase();
  if (FRAMING.has(lower) || OWN[side].has(lower) || OWN_PREFIXES.some((prefix) => lower.startsWith(prefix))) {
    report.error("header-reserved", place, `\`${lower}\` is the gateway's own: a config can neither set nor remove it.`);
    return undefined;
  }
  return lower;
}

/** `{ name: value or values }` as pairs, in order. */
export function headerTemplates(
  fields: Readonly<Record<string, string | readonly string[]>>,
  side: Side,
  place: ConfigPath,
  context: Fields,
): [name: string, template: Template][] {
  return headerNames(Object.keys(fields), side, (key) => [...place, key], context).flatMap(([name, key]) => {
    const value = fields[key]!;
    const values = typeof value === "string" ? [value] : value;
    return values.flatMap((text, index): [string, Template][] => {
      const template = context.template(text, typeof value === "string" ? [...place, key] : [...place, key, index], "header");
      return template ? [[name, template]] : [];
    });
  });
}

/** Checked names with the key that each was written as; one name in two spellings is an error. */
export function headerNames(
  keys: readonly string[],
  side: Side,
  placeOf: (key: string, index: number) => ConfigPath,
  context: Fields,
): [name: string, key: string][] {
  const seen = new Map<string, string>();
  return keys.flatMap((key, index): [string, string][] => {
    const place = placeOf(key, index);
    const name = headerName(key, side, place, context);
    if (name === undefined) return [];
    const earlier = seen.get(name);
    if (earlier !== undefined) {
      context.report.error(
        "header-twice",
        place,
        `"${key}" and "${earlier}" are one header field: names compare without regard to case.`,
      );
      return [];
    }
    seen.set(name, key);
    return [[name, key]];
  });
}
