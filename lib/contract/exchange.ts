/**
 * What is known about one request while it is with the gateway. The hosts make the request, the guard and the matcher fill in
 * target, route and params, policies read it and leave behind what later steps need. Nothing here is web-shaped.
 */

import type { HeaderList } from "../http/header-list.ts";
import type { Target } from "../http/target.ts";
import type { Json } from "./json.ts";
import type { Locals } from "./local.ts";
import type { RecordDraft } from "./record.ts";
import type { Consumer, GatewayRequest } from "./request.ts";
import type { RouteInfo } from "./route-info.ts";

/**
 * Targets by their place in the backend's list: those of the first level while one of them can take the request, then those of
 * the next. JSON, since it crosses the seal.
 */
export type TargetOrder = readonly (readonly number[])[];

export interface Exchange {
  readonly request: GatewayRequest;
  readonly target: Target;
  readonly route: RouteInfo;
  /** Values of `:name` and `*` (as `rest`) in the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly requestId: string;
  /** W3C trace context: the caller's trace continued, or a new one. */
  readonly traceparent: string;
  /** The caller's, where its trace is continued and the field is well formed. */
  readonly tracestate: string | undefined;
  consumer: Consumer | undefined;
  /** The backend's targets that fit this request, in the order in which they are asked; undefined where they are the same for all. */
  pool: TargetOrder | undefined;
  /** What a policy leaves for its later hooks, by policy name. It crosses the seal, so it is JSON. */
  state: Record<string, Json>;
  /** An alias of `state` for one version. */
  readonly carry?: Record<string, Json>;
  /** What policies keep by request in this process: a `Local` reads and writes it. */
  readonly locals: Locals;
  /** The whole request body, where a policy of this route asked for it to be buffered and it has been read. */
  body: Uint8Array | undefined;
  /** The methods that a CORS preflight is told; undefined for what is none. */
  readonly granted?: readonly string[] | undefined;
  readonly record: RecordDraft;
  /** Method, URL and header fields as a web Request, without the body: built when first asked for, so that others don't pay. */
  readonly webRequest: Request;
}

/** What is about to be sent to the backend; policies shape it in place. */
export interface Outgoing {
  method: string;
  /** Path and query, as they will stand in the request line. */
  target: string;
  readonly headers: HeaderList;
}

/** The head of an answer on its way to the caller; policies shape it in place. */
export interface ResponseHead {
  status: number;
  readonly headers: HeaderList;
}
