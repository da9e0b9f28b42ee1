/** Under which key a limit counts a request: whose it is, spelled so that no caller can end up in another's count. */
import { createHash } from "node:crypto";
import type { Json } from "../../contract/json.ts";
import type { Consumer } from "../../contract/request.ts";
import type { HeaderList } from "../../http/header-list.ts";
import { networkOf } from "../../http/ip.ts";
import { laxestReading } from "../../http/path-readings.ts";
import type { CountedBy, Limit } from "./compiled-limit.ts";

/** What of a request a count may hang on. An exchange is one. */
export interface Subject {
  readonly consumer: Consumer | undefined;
  readonly request: { readonly client: { readonly ip: string | undefined }; readonly headers: HeaderList };
  readonly params: Readonly<Record<string, string>>;
}

type Part = (subject: Subject) => string;

/** The key under which `limit` counts on a route. */
export function createCountKey({ scope, method, name, by }: Limit, route: string): (subject: Subject) => string {
  const place = scope ?? `${route} ${method === null ? "" : `${method} `}${name}`;
  const prefix = `limit:${bounded(place)}:`;
  const parts = by.map((subject) => createPart(subject, route));
  const [only] = parts;
  if (parts.length === 1) return (subject) => prefix + only!(subject);
  // With their lengths: "a" and "bc" are not "ab" and "c".
  return (subject) => {
    let key = prefix;
    for (const part of parts) {
      const text = part(subject);
      key += `${text.length}~${text}`;
    }
    return key;
  };
}

/** Each kind of identity has a letter of its own: a consumer who is called 192.0.2.1 is not that address. */
function createPart(by: CountedBy, route: string): Part {
  switch (by.from) {
    case "caller":
    case "consumer":
      return (of) => (of.consumer ? `c:${bounded(of.consumer.id)}` : ipPart(of));
    case "key":
      return (of) => (of.consumer?.key ? `k:${bounded(of.consumer.key)}` : ipPart(of));
    case "ip":
      return ipPart;
    case "header":
      return (of) => valuePart("h", of.request.headers.get(by.name), of);
    case "claim":
      return (of) => valuePart("j", textOf(of.consumer?.claims?.[by.name]), of);
    case "param":
      return (of) => valuePart("p", laxestReading(of.params[by.name] ?? ""), of);
    case "route":
      return () => `r:${bounded(route)}`;
    case "backend":
      return () => `b:${by.name}`;
    case "global":
      return () => "all";
  }
}

/** Callers whose address the host can't know share one count: stricter than each of them, and never a way around. */
function ipPart({ request }: Subject): string {
  const { ip } = request.client;
  return ip === undefined ? "i:unknown" : `i:${networkOf(ip)}`;
}

/** To leave a value out must not be a way around either: then the address counts. */
function valuePart(letter: string, value: string | undefined, of: Subject): string {
  return value ? `${letter}:${bounded(value)}` : ipPart(of);
}

function textOf(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Callers choose these texts: a long or odd one is kept as its digest, so that keys stay short and a sealed plan can hold them. */
function bounded(text: string): string {
  return /^[\x21-\x7e]{1,80}$/.test(text) ? text : `#${createHash("sha256").update(text).digest("base64url")}`;
}
