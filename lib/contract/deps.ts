/** Everything through which the engine and its policies reach out. */
import type { HeaderList } from "../http/header-list.ts";
import type { Stores } from "./stores/stores.ts";

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds from an arbitrary start, never going back. */
  monotonic(): number;
}

export interface Log {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

export interface OutboundRequest {
  /** http or https. */
  readonly url: string;
  readonly method?: "GET" | "POST" | "HEAD";
  /** Name, value, name, value. */
  readonly headers?: readonly string[];
  readonly body?: string;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  /** A larger answer is an error. */
  readonly maxBytes: number;
}

/** Whole in memory. A redirect is an answer like others: it is not followed. */
export interface OutboundAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

/** Everything through which the engine and its policies reach out. Nothing else does. */
export interface Deps {
  readonly clock: Clock;
  /** Bytes that can't be guessed. */
  random(bytes: number): Uint8Array;
  readonly stores: Stores;
  /** One bounded exchange with another service: an issuer's keys, an authorization service. */
  call(request: OutboundRequest): Promise<OutboundAnswer>;
  readonly log: Log;
  /** Keeps the instance alive until the promise settles (`waitUntil` on Vercel). A rejection is logged. */
  defer(promise: Promise<unknown>): void;
}
