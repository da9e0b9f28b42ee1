/** What a text in the config may stand for. The same reading serves text in the file and, at start, values of variables. */
import { isIP } from "node:net";
import { parsePasswordHash } from "../crypto/password-hash.ts";
import { readPublicKeys } from "../crypto/public-keys.ts";
import { canonicalRange } from "../http/ip-range.ts";
import { canonicalOrigin, isLoopbackUrl } from "../http/origin.ts";
import {
  parseAmount,
  parseByteRate,
  parseCalendarRate,
  parseDurationMs,
  parseRate,
  parseSizeBytes,
  parseWindowMs,
} from "./units.ts";

/** Timers count in 32 bits: a longer wait would fire at once. A day is more than any request needs. */
const MAX_WAIT_MS = 86_400_000;
export const REDIRECT_STATUSES = [301, 302, 303, 307, 308] as const;

export interface ValueKind<T> {
  /** Ends the sentence "expected …". */
  readonly expects: string;
  /** Undefined where the text is not of this kind. */
  read(text: string): T | undefined;
  /** A message must not show the text: it is a secret, or may hold one by mistake. */
  readonly isSecret?: boolean;
}

const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, on: true, "1": true, false: false, off: false, "0": false };

export const VALUE_KINDS = {
  string: kind("a text", (text) => text),
  secret: secretKind("a text that is not empty", (text) => (text === "" ? undefined : text)),
  passwordHash: secretKind("a scrypt hash as `frontdesk basic hash` prints it: $scrypt$ln=14,r=8,p=5$…", (text) =>
    parsePasswordHash(text) ? text : undefined,
  ),
  digest: secretKind("the SHA-256 of a key in base64url: 43 letters, digits, - and _", (text) =>
    /^[A-Za-z0-9_-]{43}$/.test(text) ? text : undefined,
  ),
  /** RFC 9110 section 5.5; CR, LF and NUL would end the field: header injection. */
  header: kind("text of one line, in latin-1", (text) => (/^[\t\x20-\x7e\x80-\xff]*$/.test(text) ? text : undefined)),
  /** Lands inside of a JSON string. */
  json: kind("a text", (text) => JSON.stringify(text).slice(1, -1)),
  /** Lands in a path or URL that the config writes: may hold slashes, not what ends a path or begins a second line. */
  path: kind("text for a URL: ASCII without spaces, anything else percent-encoded (é is %C3%A9)", (text) =>
    /^[\x21-\x7e]*$/.test(text) ? text : undefined,
  ),
  url: kind("an http or https URL without credentials, query and fragment, of a host in its usual spelling", readUrl),
  /** To be asked as it stands, a slash at the end and a query included. */
  serviceUrl: kind("an http or https URL without credentials and fragment", (text) => (isServiceUrl(text) ? text : undefined)),
  /** Revocation by whoever is asked must bite within minutes. */
  memory: kind("a duration between 1s and 5m, such as 10s or 1m", (text) => {
    const ms = readWaitMs(text);
    return ms === undefined || ms < 1_000 || ms > 300_000 ? undefined : ms;
  }),
  /** As an issuer writes itself (`iss`): kept to the letter, since a slash at the end makes another. */
  issuer: kind("the issuer's https URL (http on this machine only) without query and fragment", (text) =>
    readUrl(text) !== undefined && isHttpsOrLoopback(text) ? text : undefined,
  ),
  keysUrl: kind("an https URL (http on this machine only)", (text) =>
    isServiceUrl(text) && isHttpsOrLoopback(text) ? text : undefined,
  ),
  publicKeys: secretKind(
    "public keys as PEM, a JWK or a JWK set: RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519",
    readPublicKeys,
  ),
  secrets256: secrets(32),
  secrets384: secrets(48),
  secrets512: secrets(64),
  boolean: kind("true or false (on/off, 1/0)", (text) => BOOLEANS[text.toLowerCase()]),
  size: kind("a size such as 64kb or 4mb", parseSizeBytes),
  byteRate: kind("bytes in a second, such as 240b/s or 1kb/s", parseByteRate),
  byteRateOrNone: kind('bytes in a second, such as 240b/s or 1kb/s, or "none"', (text) =>
    text === "none" || text === "false" ? null : parseByteRate(text),
  ),
  wait: kind("a duration between 1ms and 1d, such as 250ms, 10s or 5m", readWaitMs),
  waitOrNone: kind('a duration between 1ms and 1d, such as 250ms, 10s or 5m, or "none"', (text) =>
    text === "none" || text === "false" ? null : readWaitMs(text),
  ),
  seconds: kind("a duration in whole seconds between 1s and 1d, such as 30s, 5m or 1h", (text) => {
    const ms = readWaitMs(text);
    return ms === undefined || ms % 1000 !== 0 ? undefined : ms / 1000;
  }),
  /** For what must not be of use for long to whoever gets hold of it. */
  shortSeconds: kind("a duration in whole seconds between 5s and 1h, such as 30s or 5m", (text) => {
    const ms = readWaitMs(text);
    return ms === undefined || ms % 1000 !== 0 || ms < 5_000 || ms > 3_600_000 ? undefined : ms / 1000;
  }),
  /** How long something is kept. */
  period: kind("a duration between 1s and 365d, such as 30s, 5m or 1h", (text) => {
    const ms = parseDurationMs(text);
    return ms !== undefined && ms >= 1000 && ms <= 365 * MAX_WAIT_MS ? ms : undefined;
  }),
  count: kind("a whole number", (text) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined)),
  amount: kind("a whole number above 0", parseAmount),
  rate: kind("a rate such as 100/m, 10/s or 5/15m", parseRate),
  calendarRate: kind("a quota such as 10000/month or 500/day", parseCalendarRate),
  window: kind("whole seconds between 1s and 31d, such as 10s, 15m or 1d", parseWindowMs),
  weight: kind("a whole number from 0 to 1000", (text) =>
    /^\d{1,4}$/.test(text) && Number(text) <= 1000 ? Number(text) : undefined,
  ),
  attempts: kind("a whole number from 1 to 5", (text) => (/^[1-5]$/.test(text) ? Number(text) : undefined)),
  positive: kind("a whole number from 1", (text) => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined)),
  /** Of all: 0.2 for 20%. */
  percent: kind('a share from 0% to 100% such as "20%"', (text) => {
    const share = /^\d{1,3}(?:\.\d+)?%?$/.test(text) ? Number.parseFloat(text) / 100 : 2;
    return share <= 1 ? share : undefined;
  }),
  statuses: kind('a status or several, such as "200", "2xx" or "200-399"', readStatuses),
  date: kind("a date such as 2027-01-31 or 2027-01-31T12:00:00Z", readDateSeconds),
  /** Stands between `<` and `>` in a Link field (RFC 8288 section 3). */
  link: kind("an http or https URL", (text) =>
    /^https?:\/\/[^\s<>"]+$/.test(text) && URL.canParse(text) ? new URL(text).href : undefined,
  ),
  ranges: kind("an IP address or CIDR range such as 203.0.113.7 or 10.0.0.0/8, with no bits behind the prefix", (text) =>
    readList(text, canonicalRange),
  ),
  origins: kind("an origin such as https://shop.example or https://*.shop.example, without a path", (text) =>
    readList(text, canonicalOrigin),
  ),
  status: kind("a status from 200 to 599", (text) => (/^[2-5]\d\d$/.test(text) ? Number(text) : undefined)),
  redirectStatus: kind(`one of ${REDIRECT_STATUSES.join(", ")}`, (text) =>
    REDIRECT_STATUSES.find((status) => String(status) === text),
  ),
} as const;

export type Kind = keyof typeof VALUE_KINDS;
export type ValueOf<K extends Kind> = Exclude<ReturnType<(typeof VALUE_KINDS)[K]["read"]>, undefined>;

/** How a text that lacks `https://` alone would be written: `shop.example`. Undefined for any other. */
export function withScheme(text: string, { read, isSecret }: ValueKind<unknown>): string | undefined {
  if (isSecret || text.includes("://") || !/^[\w[*][^/]*[.:]/.test(text) || read(`https://${text}`) === undefined)
    return undefined;
  return `${URL.canParse(`https://${text}`) && isLoopbackUrl(`https://${text}`) ? "http" : "https"}://${text}`;
}

function kind<T>(expects: string, read: (text: string) => T | undefined): ValueKind<T> {
  return { expects, read };
}

function secretKind<T>(expects: string, read: (text: string) => T | undefined): ValueKind<T> {
  return { expects, read, isSecret: true };
}

/** `new,old`: several by commas. */
function secrets(minBytes: number): ValueKind<readonly string[]> {
  return secretKind(`secrets of at least ${minBytes} bytes, such as from \`openssl rand -base64 ${minBytes}\``, (text) =>
    readList(text, (secret) => (Buffer.byteLength(secret) >= minBytes ? secret : undefined)),
  );
}

function isServiceUrl(text: string): boolean {
  return /^https?:\/\/[^\s@#]+$/.test(text) && URL.canParse(text) && readUrl(text.split("?", 1)[0]!) !== undefined;
}

function isHttpsOrLoopback(url: string): boolean {
  return url.startsWith("https://") || isLoopbackUrl(url);
}

function readWaitMs(text: string): number | undefined {
  const ms = parseDurationMs(text);
  return ms !== undefined && ms >= 1 && ms <= MAX_WAIT_MS ? ms : undefined;
}

/** Several, separated by commas: a variable holds one text. */
function readList(text: string, read: (item: string) => string | undefined): readonly string[] | undefined {
  const items = text.split(",").map((item) => read(item.trim()));
  return items.every((item) => item !== undefined) ? items : undefined;
}

/** Seconds since 1970. A day that the month does not have is no date. */
function readDateSeconds(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?$/.test(text)) return undefined;
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text.replace("Z", "")) ? ms / 1000 : undefined;
}

/** From the first to the last. */
function readStatuses(text: string): readonly [from: number, to: number] | undefined {
  const [, hundred, first, last = first] = /^(?:([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?)$/.exec(text) ?? [];
  if (hundred) return [Number(hundred) * 100, Number(hundred) * 100 + 99];
  return first && Number(first) <= Number(last) ? [Number(first), Number(last)] : undefined;
}

/** `010.0.0.1` is 8.0.0.1 to the URL parser, and 10.0.0.1 to people and other parsers. */
function hasPlainAddress(text: string, { hostname, host }: URL): boolean {
  if (isIP(hostname) !== 4) return true;
  const authority = text.slice(text.indexOf("//") + 2).split("/", 1)[0]!;
  return authority === hostname || authority === host || authority.startsWith(`${hostname}:`);
}

function readUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  if (url.username || url.password || text.includes("?") || text.includes("#")) return undefined;
  if (url.port === "0" || !hasPlainAddress(text, url)) return undefined;
  return url.origin + url.pathname.replace(/\/+$/, "");
}
