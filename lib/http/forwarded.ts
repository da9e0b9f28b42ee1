/** Who calls, as told by proxies that are trusted: by X-Forwarded-For, -Proto and -Host, or by Forwarded (RFC 7239). */
import type { HeaderList } from "./header-list.ts";
import { isHost } from "./host.ts";
import { canonicalIp } from "./ip.ts";
import type { IpRanges } from "./ip-range.ts";
import { trimmed } from "./whitespace.ts";

/** The field that the proxies write. Of the other one, a caller's own copy passes through them. */
export type ForwardedField = "x-forwarded-for" | "forwarded";

export interface Forwarded {
  /** Undefined where the fields name nobody who can be believed. */
  readonly ip: string | undefined;
  readonly scheme: "http" | "https" | undefined;
  readonly host: string | undefined;
}

/** More proxies than any deployment has. A longer list of them names no caller. */
const MAX_HOPS = 32;
/** Parameters of one element of Forwarded: RFC 7239 knows four. */
const MAX_PARAMETERS = 16;

/** For a request whose peer is one of `proxies`; anybody else's fields are not to be read. */
export function readForwarded(headers: HeaderList, peer: string, proxies: IpRanges, field: ForwardedField): Forwarded {
  if (field === "forwarded") {
    const elements = lastItems(headers, "forwarded").map(parametersOf);
    const last = elements.at(-1);
    const hops = elements.map((element) => addressOf(element.get("for") ?? ""));
    return {
      ip: callerOf(hops, headers.has("x-forwarded-for"), peer, proxies),
      scheme: schemeOf(last?.get("proto")),
      host: hostOf(last?.get("host")),
    };
  }
  const hops = lastItems(headers, "x-forwarded-for").map(addressOf);
  return {
    ip: callerOf(hops, headers.has("forwarded"), peer, proxies),
    // A proxy sets or appends: what is not last may be the caller's own.
    scheme: schemeOf(lastItems(headers, "x-forwarded-proto").at(-1)),
    host: hostOf(lastItems(headers, "x-forwarded-host").at(-1)),
  };
}

/** Each proxy appends whom it heard from. Everything left of the first stranger is that stranger's word: a spoofed address. */
function callerOf(hops: readonly (string | undefined)[], hasOther: boolean, peer: string, proxies: IpRanges): string | undefined {
  // A proxy that asks for itself writes neither. The other field alone says that the config names the wrong one.
  if (hops.length === 0) return hasOther ? undefined : peer;
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = hops[i];
    if (hop === undefined || !proxies.has(hop)) return hop;
    if (i === 0) return hops.length < MAX_HOPS ? hop : undefined;
  }
  return undefined;
}

/** The items of a list (RFC 9110 section 5.6.1) from its end, in order: at most as many as are looked at. */
function lastItems(headers: HeaderList, name: string): string[] {
  const items: string[] = [];
  const lines = headers.all(name);
  for (let line = lines.length - 1; line >= 0; line--) {
    const text = lines[line]!;
    for (let end = text.length; end >= 0 && items.length < MAX_HOPS; ) {
      const comma = end === 0 ? -1 : text.lastIndexOf(",", end - 1);
      items.push(trimmed(text.slice(comma + 1, end)));
      end = comma;
    }
  }
  return items.reverse();
}

/** `1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1` or `[2001:db8::1]:5678`; undefined for `unknown`, `_hidden` and garbage. */
function addressOf(text: string): string | undefined {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\w+)?$/.exec(text) ?? [];
  return canonicalIp(bracketed ?? dotted ?? text);
}

/** RFC 7239 section 4, by hand, in one pass. A quoted comma or semicolon splits wrongly, into pieces that name nothing. */
function parametersOf(element: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of element.split(";", MAX_PARAMETERS)) {
    const equals = pair.indexOf("=");
    if (equals < 0) continue;
    const name = trimmed(pair.slice(0, equals)).toLowerCase();
    const value = unquoted(trimmed(pair.slice(equals + 1)));
    // A parameter may occur once (RFC 7239 section 4): with two, another reader could take the other.
    if (value !== undefined) parameters.set(name, parameters.has(name) ? "" : value);
  }
  return parameters;
}

function unquoted(value: string): string | undefined {
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
  const text = isQuoted ? value.slice(1, -1) : value;
  return text.includes('"') ? undefined : text;
}

function schemeOf(text: string | undefined): Forwarded["scheme"] {
  const lower = text?.toLowerCase();
  return lower === "http" || lower === "https" ? lower : undefined;
}

function hostOf(text: string | undefined): string | undefined {
  return text !== undefined && isHost(text) ? text : undefined;
}
