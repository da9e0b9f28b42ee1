/** What charts tell requests apart by. */
import type { RequestRecord } from "../contract/record.ts";
import { networkOf } from "../http/ip.ts";
import type { RedactedFields } from "./redaction.ts";

/** `ok` and `cache` are answers; `refused` is the gateway's no, `rejected` a backend's 4xx, `failed` a 5xx or a broken request. */
export const OUTCOMES = ["ok", "cache", "refused", "rejected", "failed"] as const;
export type RequestOutcome = (typeof OUTCOMES)[number];

export function outcomeOf({ status, source, code, aborted }: RequestRecord): RequestOutcome {
  if (status >= 500 || status === 0 || aborted) return "failed";
  if (code !== undefined) return "refused";
  if (status >= 400) return "rejected";
  return source === "cache" ? "cache" : "ok";
}

export type CacheResult = "hit" | "stale" | "miss" | "bypass";

/** By the gateway's member of Cache-Status (RFC 9211). */
export function cacheResult(cacheStatus: string): CacheResult {
  if (/; fwd=(?:bypass|method|request)/.test(cacheStatus)) return "bypass";
  if (/; detail=stale-/.test(cacheStatus)) return "stale";
  return cacheStatus.includes("; hit") ? "hit" : "miss";
}

/** Who was limited, for the operator: the consumer, or the place on the network. */
export function callerOf({ consumer, clientIp }: RedactedFields): string {
  return consumer ?? (clientIp === undefined ? "unknown" : networkOf(clientIp));
}
