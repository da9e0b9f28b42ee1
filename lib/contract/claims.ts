/** Claims of a token, and rules on them: what a route or an authenticator asks of a claim's value. */
import type { Json } from "./json.ts";

/** One of these must fit. In a text, `*` stands for any run of characters. */
export interface ClaimRule {
  readonly from: "claim";
  readonly name: string;
  readonly anyOf: readonly (string | number | boolean)[];
}

/**
 * The claim of that name; else, where the name has dots, the value at that path (`realm_access.roles`). A claim whose own name has
 * dots or slashes (`https://shop.example/roles`) is found by its name.
 */
export function claimAt(claims: Readonly<Record<string, unknown>>, name: string): Json | undefined {
  if (Object.hasOwn(claims, name)) return claims[name] as Json;
  let at: unknown = claims;
  for (const part of name.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string, unknown>)[part];
  }
  return at as Json;
}

/** A list fits where one of its entries does. Types count: `"1"` is not `1`. */
export function fitsRule(value: Json | undefined, { anyOf }: ClaimRule): boolean {
  const given = Array.isArray(value) ? value : [value];
  return given.some((one) => anyOf.some((wanted) => fits(one, wanted)));
}

function fits(value: unknown, wanted: string | number | boolean): boolean {
  if (typeof wanted !== "string" || !wanted.includes("*")) return value === wanted;
  return typeof value === "string" && fitsPattern(value, wanted);
}

/** In time linear in both: no pattern can be made slow (ReDoS). */
function fitsPattern(text: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop()!;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return at <= end;
}

/** The texts in a claim that lists names: a list, or one text with spaces between (as `scope` has, RFC 8693 section 4.2). */
export function namesIn(value: Json | undefined): readonly string[] {
  if (typeof value === "string") return value.split(" ").filter((name) => name !== "");
  return Array.isArray(value) ? value.filter((name): name is string => typeof name === "string") : [];
}
