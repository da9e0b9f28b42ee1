/** The settings of a route in words for people: callers, scopes, limits, cache, retries. Holds no secret: names and amounts only. */
import type { CompiledConfig, CompiledRoute, CompiledVariant } from "../contract/compiled/config.ts";
import type { CompiledRetry } from "../contract/compiled/resilience.ts";
import type { Limit } from "../policies/limit/compiled-limit.ts";
import { isStepOf, type PolicyName, type PolicyStep } from "../policies/policy-step.ts";
import { durationText } from "./duration-text.ts";

export interface RouteSummary {
  /** As traffic and records name it. */
  readonly id: string;
  /** One for each distinct setting by method; the last, without methods, is for all others. */
  readonly byMethod: readonly VariantSummary[];
  /** `10 % to us`; undefined where there is none. */
  readonly mirror: string | undefined;
  readonly canary: string | undefined;
}

export interface VariantSummary {
  readonly methods: readonly string[] | undefined;
  /** Authenticators with how they combine; undefined: everyone may call. */
  readonly auth: string | undefined;
  readonly scopes: string | undefined;
  readonly limits: readonly string[];
  readonly cache: string | undefined;
  readonly retry: string | undefined;
  /** Names of policies in shadow mode: they judge and refuse nobody. */
  readonly shadow: readonly string[];
}

export function summarizeRoutes({ routes, backends }: CompiledConfig): RouteSummary[] {
  return routes.map(({ id, variants, mirror, backend }: CompiledRoute) => {
    const canary = backend === undefined ? undefined : backends[backend]!.canary;
    return {
      id,
      byMethod: variants.map(summarize),
      mirror: mirror && `${percent(mirror.share)} to ${backends[mirror.backend]!.name}`,
      canary: canary && (canary.share > 0 ? percent(canary.share) : "by header or cookie"),
    };
  });
}

function summarize({ methods, steps, retry }: CompiledVariant): VariantSummary {
  const of = <Name extends PolicyName>(name: Name) =>
    steps.filter((step): step is PolicyStep<Name> => isStepOf(name, step)).map(({ options }) => options);
  const [auth] = of("auth");
  const [cache] = of("cache");
  const scopes = of("authorize").flatMap((options) => (options.scopes ? [options.scopes] : []));
  return {
    methods,
    auth: auth && `${auth.accept.join(auth.need === "all" ? " and " : " or ")}${auth.optional ? ", optional" : ""}`,
    scopes: scopes.map(({ need, names }) => names.join(need === "all" ? " and " : " or ")).join("; ") || undefined,
    limits: of("limit").flatMap(({ limits, tiers }) => [
      ...limits.map(limitText),
      ...Object.entries(tiers?.byName ?? {}).flatMap(([tier, own]) => own.map((limit) => `tier ${tier}: ${limitText(limit)}`)),
    ]),
    cache: cache && cacheText(cache),
    retry: retry && retryText(retry),
    shadow: steps.filter(({ mode }) => mode === "shadow").map(({ policy }) => policy),
  };
}

function limitText({ name, rule, unit, by }: Limit): string {
  const sources = by.map((source) => ("name" in source ? `${source.from} ${source.name}` : source.from)).join(" and ");
  return `${name}: ${amountText(rule, unit)}${sources ? ` by ${sources}` : ""}`;
}

function amountText(rule: Limit["rule"], unit: string): string {
  if (rule.algorithm === "concurrency") return `${rule.amount} at once`;
  if (rule.algorithm === "period") return `${rule.rate.amount} ${unit} in a ${rule.rate.per}`;
  return `${rule.rate.amount} ${unit} in ${durationText(rule.rate.windowMs)}`;
}

interface CacheTimes {
  readonly ttlMs: number | null;
  readonly staleWhileRevalidateMs: number | null;
  readonly store: boolean;
}

function cacheText({ ttlMs, staleWhileRevalidateMs, store }: CacheTimes): string {
  const fresh = ttlMs === null ? "as the backend says" : `fresh for ${durationText(ttlMs)}`;
  const stale = staleWhileRevalidateMs === null ? "" : `, stale for ${durationText(staleWhileRevalidateMs)}`;
  return `${fresh}${stale}${store ? "" : ", kept by caches in front"}`;
}

function retryText({ attempts, statuses, connect }: CompiledRetry): string {
  const reasons = [...(connect ? ["no connection"] : []), ...statuses];
  return `${attempts} attempts${reasons.length > 0 ? ` on ${reasons.join(", ")}` : ""}`;
}

function percent(share: number): string {
  return `${Math.round(share * 10_000) / 100} %`;
}
