/** What the policy gets of a config: limits as plain data, references resolved. */
import type { CalendarRate, Rate } from "../../config/units.ts";

export interface LimitOptions {
  /** Where the step stands: before anybody is identified, or after. */
  readonly phase: "limit" | "consumer-limit";
  /** Of every request. */
  readonly limits: readonly Limit[];
  /** In addition, those of the consumer's tier. */
  readonly tiers: Tiers | null;
  /** What answers tell of the limits; "none" also for the inner of two steps, whose limits the outer one tells. */
  readonly headers: LimitHeaders;
}

export type LimitHeaders = "ietf" | "both" | "none";

export interface Tiers {
  /** For consumers without a tier, or with one that the config does not have. */
  readonly standard: string;
  readonly byName: Readonly<Record<string, readonly Limit[]>>;
}

export interface Limit {
  /** As callers read it: in RateLimit-Policy and in problems. Unique on a route. */
  readonly name: string;
  /** What the count belongs to where that is not the route: equal scopes share one count. */
  readonly scope: string | null;
  /** The method whose own setting it is, so that it counts apart from the route's. */
  readonly method: string | null;
  readonly rule: LimitRule;
  /** What is counted. */
  readonly unit: Unit;
  /** Taken together. */
  readonly by: readonly CountedBy[];
  readonly cost: Cost;
  /** "failures" looks before and charges what turned out a failure; "failures-reserved" charges before and gives back what did not. */
  readonly counts: "requests" | "failures" | "failures-reserved";
  /** False permits leases: an instance takes blocks at once and spends them locally. */
  readonly exact: boolean;
  readonly onUnavailable: "local" | "allow" | "deny";
  readonly shadow: boolean;
}

/** The form in which places that speak of a claim are found. */
export type CountedBy =
  | { readonly from: "caller" | "ip" | "consumer" | "key" | "route" | "global" }
  | { readonly from: "header" | "claim" | "param" | "backend"; readonly name: string };

export type Unit = "requests" | "tokens" | "units";

export type LimitRule =
  | { readonly algorithm: "fixed-window" | "sliding-window"; readonly rate: Rate }
  | { readonly algorithm: "token-bucket"; readonly rate: Rate; readonly burst: number | null }
  | { readonly algorithm: "concurrency"; readonly amount: number }
  /** Seconds since 1970 from which periods are counted; null for the calendar's, in UTC. */
  | { readonly algorithm: "period"; readonly rate: CalendarRate; readonly anchorSeconds: number | null };

export type Cost =
  | { readonly kind: "fixed"; readonly units: number }
  /** One unit for each so many bytes of the request's body that have begun. */
  | { readonly kind: "size"; readonly bytes: number }
  | Settled;

/** Known from the answer: `reserve` is charged before it, and what it turns out to be at the end. */
export type Settled =
  | { readonly kind: "header"; readonly header: string; readonly reserve: number }
  | { readonly kind: "json"; readonly path: readonly string[]; readonly reserve: number }
  | { readonly kind: "usage"; readonly of: "openai" | "anthropic"; readonly reserve: number };
