/** Where credentials stand in a request, and how they are read from there and taken away. */
import type { HeaderList } from "./header-list.ts";

export type CredentialPlace =
  /** `Authorization` with this scheme, in lower case (RFC 9110 section 11.6.2). */
  | { readonly in: "authorization"; readonly scheme: string }
  | { readonly in: "header"; readonly name: string }
  | { readonly in: "cookie"; readonly name: string }
  | { readonly in: "query"; readonly name: string };

/** Several credentials in one place: which of them the backend would take is anybody's guess, so none is. */
export const AMBIGUOUS = Symbol("ambiguous");

/** The credential that stands there; undefined where none does. */
export function readCredential(
  headers: HeaderList,
  target: string,
  place: CredentialPlace,
): string | typeof AMBIGUOUS | undefined {
  switch (place.in) {
    case "authorization":
      return only(headers, "authorization", (value) => afterScheme(value, place.scheme));
    case "header":
      return only(headers, place.name, (value) => value.trim());
    case "cookie":
      return single(cookiesNamed(headers, place.name));
    case "query":
      return single(queryValues(target, place.name));
  }
}

/** Takes away what `readCredential` reads, and leaves everything else as it stands, byte for byte. */
export function removeCredential(outgoing: { readonly headers: HeaderList; target: string }, place: CredentialPlace): void {
  const { headers } = outgoing;
  if (place.in === "header") headers.delete(place.name);
  else if (place.in === "query") outgoing.target = withoutParameter(outgoing.target, place.name);
  else if (place.in === "cookie") removeCookie(headers, place.name);
  else if (headers.all("authorization").some((value) => afterScheme(value, place.scheme) !== undefined))
    headers.delete("authorization");
}

/** Most requests have one such field or none, so that no list is made. */
function only(
  headers: HeaderList,
  name: string,
  read: (value: string) => string | undefined,
): string | typeof AMBIGUOUS | undefined {
  const first = headers.get(name);
  if (first === undefined) return undefined;
  const found = read(first);
  return headers.all(name).length === 1 ? found : AMBIGUOUS;
}

function single(values: readonly string[]): string | typeof AMBIGUOUS | undefined {
  return values.length > 1 ? AMBIGUOUS : values[0];
}

/** Schemes compare without regard to case (RFC 9110 section 11.1); what follows is one token68 or a list, after one or more spaces. */
function afterScheme(value: string, scheme: string): string | undefined {
  const { length } = scheme;
  if (value.charCodeAt(length) !== 0x20 || value.slice(0, length).toLowerCase() !== scheme) return undefined;
  // Not `trim`, which takes away no-break spaces as well: a backend would read another credential than was judged here.
  return value.slice(length).replace(/^ +|[ \t]+$/g, "");
}

/** RFC 6265 section 5.4: pairs, separated by `;`. A value in quotes is the value with its quotes. */
function cookiesNamed(headers: HeaderList, name: string): string[] {
  return headers
    .all("cookie")
    .flatMap((field) => field.split(";"))
    .flatMap((pair) => {
      const equals = pair.indexOf("=");
      return equals >= 0 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
    });
}

function removeCookie({ pairs }: HeaderList, name: string): void {
  for (let i = pairs.length - 2; i >= 0; i -= 2) {
    if (pairs[i]!.toLowerCase() !== "cookie") continue;
    const kept = pairs[i + 1]!.split(";").filter((pair) => {
      const equals = pair.indexOf("=");
      return (equals < 0 ? pair : pair.slice(0, equals)).trim() !== name;
    });
    const value = kept.join(";").trim();
    if (value === "") pairs.splice(i, 2);
    else pairs[i + 1] = value;
  }
}

function queryValues(target: string, name: string): string[] {
  const question = target.indexOf("?");
  return question < 0 ? [] : new URLSearchParams(target.slice(question)).getAll(name);
}

/** Names compare as `queryValues` decodes them, so that `%6Bey=…` goes where `key=…` does. */
function withoutParameter(target: string, name: string): string {
  const question = target.indexOf("?");
  if (question < 0) return target;
  const kept = target
    .slice(question + 1)
    .split("&")
    .filter((pair) => pair === "" || !new URLSearchParams(pair).has(name));
  return kept.length === 0 ? target.slice(0, question) : `${target.slice(0, question)}?${kept.join("&")}`;
}

/** For people: `Authorization`, "the cookie sid". */
export function nameOfPlace(place: CredentialPlace): string {
  if (place.in === "authorization") return "`Authorization`";
  return place.in === "header"
    ? `\`${place.name}\``
    : `the ${place.in === "cookie" ? "cookie" : "query parameter"} \`${place.name}\``;
}
