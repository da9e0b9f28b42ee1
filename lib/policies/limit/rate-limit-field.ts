/** What answers tell of limits: RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10), and the older X-RateLimit-*. */

import type { CounterRule } from "../../contract/stores/counters.ts";
import type { HeaderList } from "../../http/header-list.ts";
import { secondsUntil } from "../../http/seconds-until.ts";
import type { Unit } from "./compiled-limit.ts";

/** One limit as an answer tells it. It crosses the seal, so it is JSON. */
export interface RateLimitField {
  /** Its element of RateLimit-Policy. */
  readonly policy: string;
  readonly remaining: number;
  /** Epoch milliseconds; null where nobody knows, as of `concurrency`. */
  readonly resetMs: number | null;
  /** The seconds of Retry-After; 0 where the limit allowed the request. */
  readonly retrySeconds: number;
}

/** The element of a limit in RateLimit-Policy (section 3 of the draft): its name as an sf-string, quota, unit and window. */
export function policyElement(name: string, rule: CounterRule, unit: Unit): string {
  // Structured fields quote strings (RFC 9651 section 3.3.3); names of limits hold nothing that would need escaping.
  const quota = `"${name}";q=${rule.limit}`;
  if (rule.algorithm === "concurrency") return `${quota};qu="concurrent-requests"`;
  return `${quota};w=${windowSeconds(rule)}${unit === "requests" ? "" : `;qu="${unit}"`}`;
}

export function windowSeconds(rule: Exclude<CounterRule, { algorithm: "concurrency" }>): number {
  return (rule.algorithm === "period" ? rule.endMs - rule.startMs : rule.windowMs) / 1000;
}

/** Puts the fields on an answer in place of a backend's own. The limit with the least left stands first. */
export function setRateLimitFields(
  limits: readonly RateLimitField[],
  headers: HeaderList,
  nowMs: number,
  withLegacy: boolean,
): void {
  const [only] = limits;
  if (limits.length === 1 && !withLegacy) {
    put(headers, "ratelimit-policy", only!.policy);
    put(headers, "ratelimit", stateElement(only!, nowMs));
    return;
  }
  const ordered = limits.toSorted((a, b) => b.retrySeconds - a.retrySeconds || a.remaining - b.remaining);
  let policies = "";
  let states = "";
  for (const limit of ordered) {
    const separator = policies === "" ? "" : ", ";
    policies += separator + limit.policy;
    states += separator + stateElement(limit, nowMs);
  }
  put(headers, "ratelimit-policy", policies);
  put(headers, "ratelimit", states);
  if (withLegacy) setLegacyFields(ordered[0]!, headers, nowMs);
}

/** Nearly no backend has these fields, and to look is cheaper than to replace. */
function put(headers: HeaderList, name: string, value: string): void {
  if (headers.has(name)) headers.set(name, value);
  else headers.append(name, value);
}

/** `"name";r=3;t=12` (section 4 of the draft). Retry-After and `t` of a refusal are one number. */
function stateElement({ policy, remaining, resetMs, retrySeconds }: RateLimitField, nowMs: number): string {
  const state = `${policy.slice(0, policy.indexOf(";"))};r=${remaining}`;
  if (retrySeconds > 0) return `${state};t=${retrySeconds}`;
  return resetMs === null ? state : `${state};t=${secondsUntil(resetMs, nowMs)}`;
}

/** As GitHub and others have them: the limit with the least left alone, its reset in epoch seconds. */
function setLegacyFields({ policy, remaining, resetMs, retrySeconds }: RateLimitField, headers: HeaderList, nowMs: number): void {
  headers.set("x-ratelimit-limit", /;q=(\d+)/.exec(policy)![1]!);
  headers.set("x-ratelimit-remaining", String(remaining));
  const seconds = retrySeconds || (resetMs === null ? 0 : secondsUntil(resetMs, nowMs));
  headers.set("x-ratelimit-reset", String(Math.floor(nowMs / 1000) + seconds));
}
