/** Who calls, as told by proxies that are trusted: X-Forwarded-For, -Proto and -Host, and Forwarded (RFC 7239). */
import type { HeaderList } from "./header-list.ts";
import { canonicalIp } from "./ip.ts";
import type { IpRanges } from "./ip-range.ts";

export interface Forwarded {
  /** Undefined where the fields name nobody who can be believed. */
  readonly ip: string | undefined;
  readonly scheme: "http" | "https" | undefined;
  readonly host: string | undefined;
}

const HOST = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** For a request whose peer is one of `proxies`; anybody else's fields are not to be read. */
export function readForwarded(headers: HeaderList, peer: string, proxies: IpRanges): Forwarded {
  const hops = listOf(headers, "x-forwarded-for").map(addressOf);
  const elements = listOf(headers, "forwarded").map(parametersOf);
  const named = elements.map((element) => addressOf(element.get("for") ?? ""));
  const last = elements.at(-1);
  return {
    ip: callerOf(hops, named, peer, proxies),
    // A proxy sets or appends: what is not last may be the caller's own.
    scheme: schemeOf(listOf(headers, "x-forwarded-proto").at(-1) ?? last?.get("proto")),
    host: hostOf(listOf(headers, "x-forwarded-host").at(-1) ?? last?.get("host")),
  };
}

type Hops = readonly (string | undefined)[];

function callerOf(hops: Hops, named: Hops, peer: string, proxies: IpRanges): string | undefined {
  if (hops.length > 0 && named.length > 0) {
    // A proxy that writes one of the two passes on a caller's own copy of the other: where they differ, neither is believed.
    const [one, other] = [rightmostStranger(hops, proxies), rightmostStranger(named, proxies)];
    return one === other ? one : undefined;
  }
  if (hops.length + named.length === 0) return peer;
  return rightmostStranger(hops.length > 0 ? hops : named, proxies);
}

/** Each proxy appends whom it heard from. Everything left of the first stranger is that stranger's word: a spoofed address. */
function rightmostStranger(hops: Hops, proxies: IpRanges): string | undefined {
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = hops[i];
    if (hop === undefined || i === 0 || !proxies.has(hop)) return hop;
  }
  return undefined;
}

function listOf(headers: HeaderList, name: string): string[] {
  return headers.all(name).flatMap((value) => value.split(",").map((item) => item.trim()));
}

/** `1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1` or `[2001:db8::1]:5678`; undefined for `unknown`, `_hidden` and garbage. */
function addressOf(text: string): string | undefined {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\w+)?$/.exec(text) ?? [];
  return canonicalIp(bracketed ?? dotted ?? text);
}

/** RFC 7239 section 4. A quoted comma or semicolon splits wrongly, into pieces that name nothing. */
function parametersOf(element: string): ReadonlyMap<string, string> {
  return new Map(
    element.split(";").flatMap((pair): [string, string][] => {
      const [, name, value] = /^\s*([a-z]+)="?([^"]*)"?\s*$/i.exec(pair) ?? [];
      return name === undefined || value === undefined ? [] : [[name.toLowerCase(), value]];
    }),
  );
}

function schemeOf(text: string | undefined): Forwarded["scheme"] {
  const lower = text?.toLowerCase();
  return lower === "http" || lower === "https" ? lower : undefined;
}

function hostOf(text: string | undefined): string | undefined {
  return text !== undefined && HOST.test(text) ? text : undefined;
}
