/** Reading a cookie of a request (RFC 6265 section 4.2), and writing one that only the gateway reads. */
import type { HeaderList } from "./header-list.ts";

/** The first cookie of that name: a browser sends the one with the longest path first. */
export function cookieValue(headers: HeaderList, name: string): string | undefined {
  const { pairs } = headers;
  for (let i = 0; i < pairs.length; i += 2) {
    if (pairs[i]!.length !== 6 || pairs[i]!.toLowerCase() !== "cookie") continue;
    const value = valueIn(pairs[i + 1]!, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

function valueIn(cookies: string, name: string): string | undefined {
  for (const cookie of cookies.split(";")) {
    const equals = cookie.indexOf("=");
    if (equals > 0 && cookie.slice(0, equals).trim() === name) return cookie.slice(equals + 1).trim();
  }
  return undefined;
}

/** For the browser's session, out of reach for scripts, and over TLS only where the request came that way. */
export function sessionCookie(name: string, value: string, scheme: "http" | "https"): string {
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Lax${scheme === "https" ? "; Secure" : ""}`;
}
