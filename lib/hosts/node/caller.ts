/** Who calls, as the Node host sees it: the socket's word, and that of proxies and frontends which the config trusts. */
import type { IncomingMessage } from "node:http";
import type { CompiledConfig } from "../../contract/compiled/config.ts";
import type { GatewayRequest } from "../../contract/request.ts";
import { readForwarded } from "../../http/forwarded.ts";
import { readGeo } from "../../http/geo-fields.ts";
import { exactValue } from "../../http/header-list.ts";
import { IpRanges } from "../../http/ip-range.ts";
import type { RequestFacts } from "../../http/sanitize-headers.ts";
import { statedClient } from "../stated-client.ts";
import { connectionOf } from "./connection.ts";
import type { Locate } from "./geo-database.ts";
import { LocatedClient } from "./located-client.ts";

type Caller = Pick<GatewayRequest, "client" | "scheme" | "host">;
type CallerFacts = Pick<RequestFacts, "host" | "headers" | "withReserved">;

/** By config: a reload may trust others. */
const trusted = new WeakMap<CompiledConfig, IpRanges>();

export function callerOf(request: IncomingMessage, facts: CallerFacts, config: CompiledConfig, locate?: Locate): Caller {
  const seen = seenCaller(request, facts, config, locate);
  if (facts.withReserved === undefined) return seen;
  const client = statedClient(seen.client, { method: request.method!, target: request.url! }, facts, config, locate);
  return client === seen.client ? seen : { ...seen, client };
}

function seenCaller(
  { socket }: IncomingMessage,
  { host = "", headers }: CallerFacts,
  config: CompiledConfig,
  locate: Locate | undefined,
): Caller {
  const { peer } = connectionOf(socket, locate);
  const proxies = config.trust.proxies.length > 0 ? rangesOf(config) : undefined;
  if (peer.ip === undefined || !proxies?.has(peer.ip)) return { client: peer, scheme: "http", host };
  const told = readForwarded(headers, peer.ip, proxies, config.trust.field ?? "x-forwarded-for");
  // A proxy's connection carries the requests of many. A lookalike of its field is the caller's own.
  const exact = { get: (name: string) => exactValue(headers, name) };
  const geo = config.trust.geo ? readGeo(exact, config.trust.geo) : undefined;
  const isDisputed = told.ip === undefined || undefined;
  const client = geo ? { ip: told.ip, geo, isDisputed } : new LocatedClient(told.ip, locate, undefined, isDisputed);
  return { client, scheme: told.scheme ?? "http", host: told.host ?? host };
}

/** Fields in which the proxies name the caller to backends, where the request comes from one of them. */
export function trustedFields({ socket }: IncomingMessage, config: CompiledConfig): ReadonlySet<string> | undefined {
  const { pass, proxies } = config.trust;
  const { ip } = pass && proxies.length > 0 ? connectionOf(socket).peer : NOBODY;
  return ip !== undefined && rangesOf(config).has(ip) ? new Set(pass) : undefined;
}

const NOBODY = { ip: undefined };

function rangesOf(config: CompiledConfig): IpRanges {
  const ranges = trusted.get(config) ?? new IpRanges(config.trust.proxies);
  trusted.set(config, ranges);
  return ranges;
}
