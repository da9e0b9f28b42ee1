/** Cookies of a request, read and taken away (RFC 6265 section 4.2), and one written that only the gateway reads. */
import type { HeaderList } from "./header-list.ts";
import { trimmed } from "./whitespace.ts";

/** The value where `pair` is a cookie of that name. In quotes it is the value with its quotes (RFC 6265 section 5.4). */
function valueIn(pair: string, name: string): string | undefined {
  const equals = pair.indexOf("=");
  return equals >= 0 && trimmed(pair.slice(0, equals)) === name ? trimmed(pair.slice(equals + 1)) : undefined;
}

/** The values of all cookies of that name, as they come. */
function* valuesOf(headers: HeaderList, name: string): Generator<string, undefined> {
  for (const field of headers.all("cookie"))
    for (const pair of field.split(";")) {
      const value = valueIn(pair, name);
      if (value !== undefined) yield value;
    }
}

export function cookiesNamed(headers: HeaderList, name: string): string[] {
  return [...valuesOf(headers, name)];
}

/** The first cookie of that name: a browser sends the one with the longest path first. */
export function cookieValue(headers: HeaderList, name: string): string | undefined {
  return valuesOf(headers, name).next().value;
}

/** Leaves the others as they stand, byte for byte. */
export function removeCookie({ pairs }: HeaderList, name: string): void {
  for (let i = pairs.length - 2; i >= 0; i -= 2) {
    if (pairs[i]!.toLowerCase() !== "cookie") continue;
    const held = pairs[i + 1]!.split(";");
    const kept = held.filter((pair) => valueIn(pair, name) === undefined);
    if (kept.length === held.length) continue;
    // The space that stood between two pairs would now lead the field.
    if (kept.length > 0 && kept[0] !== held[0]) kept[0] = trimmed(kept[0]!);
    if (kept.length > 0) pairs[i + 1] = kept.join(";");
    else pairs.splice(i, 2);
  }
}

/** For the browser's session, out of reach for scripts, and over TLS only where the request came that way. */
export function sessionCookie(name: string, value: string, scheme: "http" | "https"): string {
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Lax${scheme === "https" ? "; Secure" : ""}`;
}
