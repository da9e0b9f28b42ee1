/** What the service's answer means. */
import { type AuthFailure, consumerId } from "../../contract/authenticator.ts";
import type { OutboundAnswer } from "../../contract/deps.ts";
import type { Consumer } from "../../contract/request.ts";
import type { HeaderList } from "../../http/header-list.ts";
import type { ForwardOptions } from "./options.ts";

/** Let in: who it is, and what the backend is told. */
export interface Granted {
  readonly consumer: Consumer;
  /** Name, value, name, value. */
  readonly fields: readonly string[];
}

export type Judgement = Granted | AuthFailure;

/** RFC 9110 section 5.5. Other characters could mean something else to whoever reads the field next. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const MAX_LOCATION_LENGTH = 8192;

/** `claims` are the names that the config speaks of: of the others none is kept. */
export function judge(
  name: string,
  { status, headers }: Pick<OutboundAnswer, "status" | "headers">,
  hasCredential: boolean,
  options: ForwardOptions,
  claims: readonly string[],
): Judgement {
  if (status >= 200 && status < 300) return grant(name, headers, options, claims);
  if (status === 401) return notIn(hasCredential, "the service answered 401");
  if (status === 403) return { kind: "not-allowed", reason: "the service answered 403" };
  if (status < 300 || status >= 400) return unavailable(`the service answered ${status}`);
  if (!options.redirect) return unavailable(`the service answered ${status}, and \`redirect\` is not true`);
  const location = headers.get("location");
  if (location === undefined || !isWebAddress(location) || !headers.isOnly("location"))
    return unavailable(`the service answered ${status} without a \`Location\` that leads to a page`);
  // A login begins with a cookie that its end is held against (RFC 6749 section 10.12): without it nobody gets in.
  const cookies = headers.all("set-cookie").filter((value) => VALUE.test(value));
  const redirect = { status, headers: ["location", location, ...cookies.flatMap((value) => ["set-cookie", value])] };
  return { ...notIn(hasCredential, `the service answered ${status}`), redirect };
}

export function unavailable(reason: string): AuthFailure {
  return { kind: "unavailable", reason };
}

function notIn(hasCredential: boolean, reason: string): AuthFailure {
  return { kind: hasCredential ? "invalid" : "missing", reason };
}

function grant(name: string, headers: HeaderList, options: ForwardOptions, kept: readonly string[]): Judgement {
  // One field, or else somebody before the service has put in one of their own.
  const subject = textIn(headers, options.subject);
  if (!subject) return unavailable(`the service let the caller in and does not say who it is: \`${options.subject}\``);
  const tier = options.tier === null ? undefined : textIn(headers, options.tier);
  const claims = options.claims.flatMap(([claim, field]): [string, string][] => {
    const value = kept.includes(claim) ? textIn(headers, field) : undefined;
    return value === undefined ? [] : [[claim, value]];
  });
  return {
    consumer: {
      id: consumerId(name, subject),
      authenticator: name,
      scopes: namesIn(headers, options.scopes, /[\s,]/),
      roles: namesIn(headers, options.roles, ","),
      claims: { sub: subject, ...Object.fromEntries(claims) },
      ...(tier ? { tier } : {}),
    },
    fields: options.headers.flatMap((field) =>
      headers.all(field).flatMap((value) => (VALUE.test(value) && value !== "" ? [field, value] : [])),
    ),
  };
}

/** The value of the one field of that name. Bytes that are UTF-8 are read as such. */
function textIn(headers: HeaderList, field: string): string | undefined {
  const value = headers.get(field);
  if (value === undefined || !headers.isOnly(field) || !VALUE.test(value)) return undefined;
  return decoded(value);
}

function namesIn(headers: HeaderList, field: string | null, separator: RegExp | string): readonly string[] {
  if (field === null) return [];
  const values = headers.all(field).filter((value) => VALUE.test(value));
  const names = values.flatMap((value) =>
    decoded(value)
      .split(separator)
      .map((name) => name.trim()),
  );
  return [...new Set(names)].filter((name) => name !== "");
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decoded(latin1: string): string {
  try {
    return utf8.decode(Buffer.from(latin1, "latin1"));
  } catch {
    return latin1;
  }
}

/** Absolute or from the root, to be opened by a browser: where to is the service's word, and its responsibility. */
function isWebAddress(location: string): boolean {
  if (location.length > MAX_LOCATION_LENGTH || !/^(?:https?:\/\/|\/)[\x21-\x7e]*$/.test(location)) return false;
  return URL.canParse(location, "http://gateway.invalid");
}
