/**
 * The operator's session in a browser: an encrypted cookie, made by the admin token alone. Another admin token ends all of them. Nothing is
 * kept anywhere, so that every instance knows them.
 */
import { decryptCompact, encryptCompact } from "../crypto/compact-jwe.ts";
import { deriveKeys } from "../crypto/derive-keys.ts";
import { cookiesNamed } from "../http/cookie.ts";
import type { HeaderList } from "../http/header-list.ts";

const COOKIE = "frontdesk-session";
const LIFE_SECONDS = 12 * 60 * 60;

export interface Sessions {
  /** The Set-Cookie of somebody who has shown the admin token. */
  begin(scheme: string): string;
  /** The Set-Cookie of somebody who signs out. */
  end(scheme: string): string;
  isOpen(headers: HeaderList): boolean;
}

export function createSessions(adminToken: string, now: () => number): Sessions {
  const keys = deriveKeys([Buffer.from(adminToken)], "session");
  return {
    begin: (scheme) =>
      setCookie(encryptCompact(JSON.stringify({ exp: now() / 1000 + LIFE_SECONDS }), keys[0]!), LIFE_SECONDS, scheme),
    end: (scheme) => setCookie("", 0, scheme),
    isOpen: (headers) => cookiesNamed(headers, COOKIE).some((cookie) => expiryOf(decryptCompact(cookie, keys)) * 1000 > now()),
  };
}

/** Scripts can't read it; other sites can't send it but by a link; backends never see it, whose paths are others. */
function setCookie(value: string, maxAgeSeconds: number, scheme: string): string {
  const secure = scheme === "https" ? "; Secure" : "";
  return `${COOKIE}=${value}; Path=/gateway; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`;
}

function expiryOf(text: string | undefined): number {
  return text === undefined ? 0 : (JSON.parse(text) as { readonly exp: number }).exp;
}
