/** A request as a host received it, and who calls. */
import type { Readable } from "node:stream";
import type { ClientStatement } from "../http/client-statement.ts";
import type { Geo } from "../http/geo.ts";
import type { HeaderList } from "../http/header-list.ts";
import type { RequestFacts } from "../http/sanitize-headers.ts";
import type { Json } from "./json.ts";

/** Who is at the other end of the connection, as far as the host's adapter believes it (CONFIG: whom to believe). */
export interface Client {
  /** IPv4 or IPv6 in canonical text, mapped addresses unmapped; undefined where the host can't know. */
  readonly ip: string | undefined;
  readonly geo: Geo | undefined;
  /** Trusted proxies stand in front, and what they say names nobody: rules for addresses and places keep such a caller out. */
  readonly isDisputed?: boolean | undefined;
  /** What became of a frontend's word about who calls; absent where there was none. */
  readonly frontend?: ClientStatement | undefined;
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
