/** Where credentials stand in a request, and how they are read from there and taken away. */
import { cookiesNamed, removeCookie } from "./cookie.ts";
import type { HeaderList } from "./header-list.ts";
import { isBlank, trimmed } from "./whitespace.ts";

export type CredentialSource =
  /** `Authorization` with this scheme, in lower case (RFC 9110 section 11.6.2); with any, and the value whole, where none is named. */
  | { readonly in: "authorization"; readonly scheme?: string }
  | { readonly in: "header"; readonly name: string }
  | { readonly in: "cookie"; readonly name: string }
  | { readonly in: "query"; readonly name: string };

/** Several credentials in one place: which of them the backend would take is anybody's guess, so none is. */
export const AMBIGUOUS = Symbol("ambiguous");

/**
 * The credential that stands there; undefined where none does. An empty text is none, in each of the places: applications sign a
 * user out by an empty cookie.
 */
export function readCredential(
  headers: HeaderList,
  target: string,
  source: CredentialSource,
): string | typeof AMBIGUOUS | undefined {
  const value = valueAt(headers, target, source);
  return value === "" ? undefined : value;
}

function valueAt(headers: HeaderList, target: string, source: CredentialSource): string | typeof AMBIGUOUS | undefined {
  switch (source.in) {
    case "authorization": {
      const value = only(headers, "authorization", holdsSeveral);
      return typeof value === "string" ? afterScheme(value, source.scheme) : value;
    }
    case "header": {
      const value = only(headers, source.name, holdsComma);
      return typeof value === "string" ? trimmed(value) : value;
    }
    case "cookie":
      return single(cookiesNamed(headers, source.name));
    case "query":
      return single(parametersNamed(target, source.name));
  }
}

/** Takes away what `readCredential` reads, and leaves everything else as it stands, byte for byte. */
export function removeCredential(outgoing: { readonly headers: HeaderList; target: string }, source: CredentialSource): void {
  const { headers } = outgoing;
  if (source.in === "header") headers.delete(source.name);
  else if (source.in === "query") outgoing.target = withoutParameter(outgoing.target, source.name);
  else if (source.in === "cookie") removeCookie(headers, source.name);
  else removeAuthorization(headers, source.scheme);
}

function removeAuthorization(headers: HeaderList, scheme: string | undefined): void {
  const value = only(headers, "authorization", holdsSeveral);
  if (value !== undefined && (value === AMBIGUOUS || isOfScheme(value, scheme))) headers.delete("authorization");
}

/** The header field that a credential in this place belongs to; undefined for the query. */
export function fieldOf(source: CredentialSource): string | undefined {
  if (source.in === "query") return undefined;
  return source.in === "header" ? source.name : source.in;
}

/** The value of the one field of that name, where it holds one credential. */
function only(headers: HeaderList, name: string, holdsMore: (value: string) => boolean): string | typeof AMBIGUOUS | undefined {
  const index = headers.indexOf(name);
  if (index < 0) return undefined;
  const value = headers.pairs[index + 1]!;
  return headers.indexOf(name, index + 2) >= 0 || holdsMore(value) ? AMBIGUOUS : value;
}

function holdsComma(value: string): boolean {
  return value.includes(",");
}

/** Browsers send a cookie of one name for each path that it was set for. With one value, every reader takes the same one. */
function single(values: readonly string[]): string | typeof AMBIGUOUS | undefined {
  return values.some((value) => value !== values[0]) ? AMBIGUOUS : values[0];
}

/**
 * Platforms join fields of one name by commas (RFC 9110 section 5.3). What follows a comma in one credential is a parameter,
 * `name=value`; anything else is a second credential, whatever the scheme of the first.
 */
function holdsSeveral(value: string): boolean {
  if (!value.includes(",")) return false;
  // Without quantifiers in one another: no value can be made slow to judge (ReDoS).
  const withoutQuoted = value.replace(/"[^"]*"/g, "");
  return /,(?![ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*=)/.test(withoutQuoted);
}

/**
 * Schemes compare without regard to case, and spaces follow (RFC 9110 section 11.4). A tab, or nothing at all, is no credential
 * by that grammar, but servers take the one for a space: such a field is read with its tab, so that nobody accepts it and it does
 * not go on unseen.
 */
function afterScheme(value: string, scheme: string | undefined): string | undefined {
  if (scheme === undefined) return trimmed(value);
  if (!isOfScheme(value, scheme)) return undefined;
  const { length } = scheme;
  return value.charCodeAt(length) === 0x09 ? value.slice(length) : trimmed(value, length);
}

function isOfScheme(value: string, scheme: string | undefined): boolean {
  if (scheme === undefined) return true;
  const { length } = scheme;
  return (value.length <= length || isBlank(value, length)) && value.slice(0, length).toLowerCase() === scheme;
}

/** Name and value decoded as forms are (URL Standard, application/x-www-form-urlencoded); `;` separates nothing there. */
function parameterValue(pair: string, name: string): string | undefined {
  // A leading `?` of its own, since the parser takes one away: in `??key=1` the name is `?key`.
  return new URLSearchParams(`?${pair}`).get(name) ?? undefined;
}

function parametersNamed(target: string, name: string): string[] {
  const question = target.indexOf("?");
  return question < 0 ? [] : new URLSearchParams(target.slice(question)).getAll(name);
}

/** Names compare decoded, so that `%6Bey=…` goes where `key=…` does. */
function withoutParameter(target: string, name: string): string {
  const question = target.indexOf("?");
  if (question < 0) return target;
  const held = target.slice(question + 1).split("&");
  const kept = held.filter((pair) => parameterValue(pair, name) === undefined);
  if (kept.length === held.length) return target;
  return kept.length === 0 ? target.slice(0, question) : `${target.slice(0, question)}?${kept.join("&")}`;
}

/** For people: `Authorization`, "the cookie sid". */
export function nameOfSource(source: CredentialSource): string {
  if (source.in === "authorization") return "`Authorization`";
  return source.in === "header"
    ? `\`${source.name}\``
    : `the ${source.in === "cookie" ? "cookie" : "query parameter"} \`${source.name}\``;
}
