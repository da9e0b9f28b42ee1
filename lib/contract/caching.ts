/** `cache` of a route: its options as plain data, and what the engine makes of them. */
import type { Exchange } from "./exchange.ts";
import type { Template } from "./template.ts";

export interface CacheOptions {
  /** Freshness where the backend gives none; null leaves it to the backend and to RFC 9111's heuristics. */
  readonly ttlMs: number | null;
  /** `ttlMs` also in place of what the backend gives. */
  readonly override: boolean;
  /** Where the backend's answer does not say (RFC 5861). */
  readonly staleWhileRevalidateMs: number | null;
  readonly staleIfErrorMs: number | null;
  readonly query: QueryRule;
  /** Request fields, in lower case, by which answers differ whatever the backend's Vary says. */
  readonly vary: readonly string[];
  /** Each consumer has answers of its own. */
  readonly perConsumer: boolean;
  /** What cookies mean for an answer that is kept by `ttlMs` alone: it is another for each, or the same for all. */
  readonly cookies: "bypass" | "ignore";
  readonly tags: readonly Template[];
  /** Whether the gateway keeps answers itself. */
  readonly store: boolean;
  /** Whether caches in front may keep them; a number is for how long, in milliseconds, in place of their freshness. */
  readonly cdn: boolean | number;
}

/** Which parameters of a query an answer hangs on; only these are sent on, or the others could shape what everybody gets. */
export interface QueryRule {
  readonly only: readonly string[] | null;
  readonly drop: readonly string[];
  readonly sort: boolean;
}

/** Made once for a route and method: what is asked for each request is only what this route needs. */
export interface CacheKeys {
  /** Without Vary. */
  keyFor(exchange: Exchange): string;
  /** The query that is sent on, which is the one in the key; undefined where it is the caller's own. */
  queryFor(exchange: Exchange): string | undefined;
}

/** The cache of a route and method. */
export interface CacheRule extends CacheKeys {
  readonly options: CacheOptions;
  /** Whether a request with cookies may need another answer than one without, where only `ttl` says that answers are shared. */
  mindsCookies(exchange: Exchange): boolean;
  /** Tags that the config gives an answer. */
  tagsFor(exchange: Exchange): string[];
}
