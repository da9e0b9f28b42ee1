/** `cache` of a route as the config compiles it: plain data. */
import type { Template } from "../http/template.ts";

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
