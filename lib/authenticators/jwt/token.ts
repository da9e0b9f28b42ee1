/** A compact JWS (RFC 7515 section 7.1) with claims in it, read strictly. Nothing of it is believed before its signature was verified. */
import type { AuthFailure } from "../../contract/authenticator.ts";

export interface ReadToken {
  readonly alg: string;
  readonly kid: string | undefined;
  readonly typ: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** As much as a header field can hold on every host. */
const MAX_TOKEN_LENGTH = 16 * 1024;
/** RFC 7515 section 5.2 step 4: bytes that are no UTF-8 are not guessed at. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function readToken(token: string): ReadToken | AuthFailure {
  if (token.length > MAX_TOKEN_LENGTH) return invalid(`a token of ${token.length} characters`);
  const parts = token.split(".");
  const [first = "", second = "", third = ""] = parts;
  if (parts.length !== 3) return notSigned(token, parts.length);
  // One token, one spelling: padding, `+` and `/`, and bits behind the last byte would give one signature many texts.
  if (!parts.every(isCanonical)) return invalid("a token that is not base64url as RFC 7515 section 2 has it", NO_JWT);
  const header = readObject(first);
  if (typeof header === "string") return invalid(`the token's header is ${header}`, NO_JWT);
  const claims = readObject(second);
  if (typeof claims === "string") return invalid(`the token's claims are ${claims}`, NO_JWT);
  const { alg, kid, typ } = header;
  if (typeof alg !== "string") return invalid("the token names no algorithm");
  if (third === "") return invalid(`a token without a signature (alg ${quoted(alg)})`);
  // RFC 7515 section 4.1.11: what must be understood and is not makes a token invalid. No extension is understood here.
  if ("crit" in header || "b64" in header) return invalid("the token's header asks for an extension (crit, b64)");
  if (kid !== undefined && typeof kid !== "string") return invalid("the token's kid is no text");
  if (typ !== undefined && typeof typ !== "string") return invalid("the token's typ is no text");
  return { alg, kid, typ, claims };
}

const NO_JWT = "The credential is no signed JWT.";

/** The mysteries of a first afternoon, in words. */
function notSigned(token: string, parts: number): AuthFailure {
  if (/^bearer\s/i.test(token))
    return invalid('"Bearer" stands twice before the token', '"Bearer" stands twice before the token.');
  if (/[\s,]/.test(token)) return invalid("several credentials, or text around one, in one place", NO_JWT);
  if (parts === 5) return invalid("an encrypted token (JWE): only signed ones are taken", NO_JWT);
  if (parts > 1) return invalid(`a token of ${parts} parts: a signed JWT has three`, NO_JWT);
  return invalid(
    "an opaque token, which only its issuer can read: ask the issuer for a JWT (at Auth0, by naming an `audience` when asking for the token)",
    NO_JWT,
  );
}

export function invalid(reason: string, detail?: string): AuthFailure {
  return { kind: "invalid", reason, ...(detail === undefined ? {} : { detail }) };
}

/** For the record: a caller's text is cut short and can't begin a line of its own. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

/** The issuer that a token says it is from, unverified: to choose who judges it. */
export function issuerIn(token: string): unknown {
  if (token.length > MAX_TOKEN_LENGTH) return undefined;
  const [, claims = ""] = token.split(".", 2);
  const read = readObject(claims);
  return typeof read === "string" ? undefined : read.iss;
}

function isCanonical(part: string): boolean {
  return Buffer.from(part, "base64url").toString("base64url") === part;
}

/** Or what is wrong with it. */
function readObject(part: string): Record<string, unknown> | string {
  try {
    const text = UTF8.decode(Buffer.from(part, "base64url"));
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return "no JSON object";
    // RFC 7519 section 4 and RFC 7515 section 4: of two, the gateway would take the last and a backend perhaps the first.
    return hasNameTwice(text) ? "JSON with one name twice" : (value as Record<string, unknown>);
  } catch {
    return "no JSON";
  }
}

/** The strings and the punctuation of a JSON text, by hand: a string that does not end would be looked for from each of its quotes. */
function* piecesOf(text: string): Generator<string> {
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character !== '"') {
      if ("{}[],:".includes(character)) yield character;
      continue;
    }
    const start = i++;
    while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
    yield text.slice(start, i + 1);
  }
}

/** Whether an object in a JSON text, which has been parsed before, has one name twice; `\u0061` is `a`. */
function hasNameTwice(text: string): boolean {
  /** Names of the objects that are open, undefined for a list. */
  const open: (Set<string> | undefined)[] = [];
  let isName = false;
  for (const piece of piecesOf(text)) {
    if (piece === "{" || piece === "[") open.push(piece === "{" ? new Set() : undefined);
    else if (piece === "}" || piece === "]") open.pop();
    else if (isName && piece !== ",") {
      const names = open.at(-1)!;
      const name = JSON.parse(piece) as string;
      if (names.has(name)) return true;
      names.add(name);
    }
    isName = (piece === "{" || piece === ",") && open.at(-1) !== undefined;
  }
  return false;
}
