/** What a text in the config may stand for. The same reading serves text in the file and, at start, values of variables. */
import { parseDurationMs, parseSizeBytes } from "./units.ts";

/** Timers count in 32 bits: a longer wait would fire at once. A day is more than any request needs. */
const MAX_WAIT_MS = 86_400_000;
export const REDIRECT_STATUSES = [301, 302, 303, 307, 308] as const;

interface ValueKind<T> {
  /** Ends the sentence "expected …". */
  readonly expects: string;
  /** Undefined where the text is not of this kind. */
  read(text: string): T | undefined;
}

const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, on: true, "1": true, false: false, off: false, "0": false };

export const VALUE_KINDS = {
  string: kind("a text", (text) => text),
  /** RFC 9110 section 5.5; CR, LF and NUL would end the field: header injection. */
  header: kind("text of one line, in latin-1", (text) => (/^[\t\x20-\x7e\x80-\xff]*$/.test(text) ? text : undefined)),
  /** Lands inside of a JSON string. */
  json: kind("a text", (text) => JSON.stringify(text).slice(1, -1)),
  /** Lands in a path or URL that the config writes: may hold slashes, not what ends a path or begins a second line. */
  path: kind("text for a URL, without spaces and control characters", (text) => (/^[\x21-\x7e]*$/.test(text) ? text : undefined)),
  url: kind("an http or https URL without credentials, query and fragment", readUrl),
  boolean: kind("true or false (on/off, 1/0)", (text) => BOOLEANS[text.toLowerCase()]),
  size: kind("a size such as 64kb or 4mb", parseSizeBytes),
  wait: kind("a duration between 1ms and 1d, such as 250ms, 10s or 5m", readWaitMs),
  waitOrNone: kind('a duration between 1ms and 1d, such as 250ms, 10s or 5m, or "none"', (text) =>
    text === "none" || text === "false" ? null : readWaitMs(text),
  ),
  status: kind("a status from 200 to 599", (text) => (/^[2-5]\d\d$/.test(text) ? Number(text) : undefined)),
  redirectStatus: kind(`one of ${REDIRECT_STATUSES.join(", ")}`, (text) =>
    REDIRECT_STATUSES.find((status) => String(status) === text),
  ),
} as const;

export type Kind = keyof typeof VALUE_KINDS;
export type ValueOf<K extends Kind> = Exclude<ReturnType<(typeof VALUE_KINDS)[K]["read"]>, undefined>;

function kind<T>(expects: string, read: (text: string) => T | undefined): ValueKind<T> {
  return { expects, read };
}

function readWaitMs(text: string): number | undefined {
  const ms = parseDurationMs(text);
  return ms !== undefined && ms >= 1 && ms <= MAX_WAIT_MS ? ms : undefined;
}

function readUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  if (url.username || url.password || text.includes("?") || text.includes("#")) return undefined;
  return url.origin + url.pathname.replace(/\/+$/, "");
}
