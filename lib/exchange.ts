/**
 * What is known about one request while it is with the gateway. The hosts make the request, the guard and the matcher fill in
 * target, route and params, policies read it and leave behind what later steps need. Nothing here is web-shaped.
 */
import type { Readable } from "node:stream";
import type { Pool } from "./backends/pool.ts";
import type { HeaderList } from "./http/header-list.ts";
import type { RequestFacts } from "./http/hygiene.ts";
import type { Target } from "./http/target.ts";
import type { RecordDraft } from "./observe/record.ts";
import type { Route } from "./route.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Who is at the other end of the connection, as far as the host's adapter believes it (CONFIG: whom to believe). */
export interface Client {
  /** IPv4 or IPv6 in canonical text, mapped addresses unmapped; undefined where the host can't know. */
  readonly ip: string | undefined;
  readonly geo: Geo | undefined;
  /** Trusted proxies stand in front, and what they say names nobody: rules for addresses and places keep such a caller out. */
  readonly isDisputed?: boolean | undefined;
  /** What became of a frontend's word about who calls; absent where there was none. */
  readonly frontend?: FrontendWord | undefined;
}

/** A frontend's word about who calls (`x-gateway-client`). Only where it is believed does it change anything. */
export interface FrontendWord {
  readonly verdict: "believed" | "malformed" | "forged" | "stale" | "early";
  /** How far its clock is ahead of ours, where the signature is right. */
  readonly aheadMs?: number;
  /** Who sent it: the address of the frontend's edge. */
  readonly edge: string | undefined;
}

export interface Geo {
  readonly continent?: string | undefined;
  readonly country?: string | undefined;
  readonly subdivision?: string | undefined;
  readonly city?: string | undefined;
  readonly latitude?: number | undefined;
  readonly longitude?: number | undefined;
  readonly timezone?: string | undefined;
}

/** A request as a host received it: plain values, the raw target, the header fields as they came. */
export interface GatewayRequest {
  readonly method: string;
  /** The request target exactly as received (RFC 9112 section 3.2). */
  readonly target: string;
  readonly scheme: "http" | "https";
  /** The Host field as received, or the authority of an absolute-form target. */
  readonly host: string;
  readonly httpVersion: string;
  readonly headers: HeaderList;
  /** What a host has read of the fields already. Absent where it did not need to. */
  readonly facts?: RequestFacts;
  /** The body as a stream that was not read yet; null where the request has none. */
  readonly body: Readable | null;
  readonly client: Client;
}

/** Who calls, however identified. `id` is `<authenticator>:<subject>`. */
export interface Consumer {
  readonly id: string;
  readonly authenticator: string;
  /** The public id of the API key that was presented. */
  readonly key?: string | undefined;
  readonly tier?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly roles?: readonly string[] | undefined;
  /** Only the claims that the config names. */
  readonly claims?: Readonly<Record<string, Json>> | undefined;
}

export interface Exchange {
  readonly request: GatewayRequest;
  readonly target: Target;
  readonly route: Route;
  /** Values of `:name` and `*` (as `rest`) in the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly requestId: string;
  /** W3C trace context: the caller's trace continued, or a new one. */
  readonly traceparent: string;
  /** The caller's, where its trace is continued and the field is well formed. */
  readonly tracestate: string | undefined;
  consumer: Consumer | undefined;
  /** The backend's targets that fit this request, in the order in which they are asked; undefined where they are the same for all. */
  pool: Pool | undefined;
  /** What a policy leaves for its later hooks, by policy name. It crosses the seal, so it is JSON. */
  carry: Record<string, Json>;
  /** The whole request body, where a policy of this route asked for it to be buffered and it has been read. */
  body: Uint8Array | undefined;
  /** The methods that a CORS preflight is told; undefined for what is none. */
  readonly granted?: readonly string[] | undefined;
  readonly record: RecordDraft;
  /** Method, URL and header fields as a web Request, without the body: built when first asked for, so that others don't pay. */
  readonly webRequest: Request;
}
