/** What one caller has used of every limit of a config: read without taking, and forgotten on request. */
import type { CompiledConfig } from "../../contract/compiled/config.ts";
import type { Consumer } from "../../contract/request.ts";
import type { Count, CounterRule } from "../../contract/stores/counters.ts";
import { ok, type StoreReply } from "../../contract/stores/reply.ts";
import type { Stores } from "../../contract/stores/stores.ts";
import { HeaderList } from "../../http/header-list.ts";
import { stepsOfPolicy } from "../policy-step.ts";
import type { CountedBy, LimitOptions } from "./compiled-limit.ts";
import type { Subject } from "./count-key.ts";
import { LimitSet } from "./limit-set.ts";
import { amountIn, type Override, readOverrides } from "./overrides.ts";
import { windowSeconds } from "./rate-limit-field.ts";

export interface UsageQuery {
  /** `consumer.id`, as the record has it. */
  readonly consumer?: string | undefined;
  /** For limits by address; canonical. */
  readonly ip?: string | undefined;
  /** Where it is not the first: what a consumer's tier is, only its credentials say. */
  readonly tier?: string | undefined;
}

export interface UsageReport {
  readonly consumer: string | null;
  readonly ip: string | null;
  readonly override: Override | null;
  readonly limits: readonly LimitUsage[];
}

export interface LimitUsage {
  /** As answers name it. */
  readonly name: string;
  /** Null for one that counts over several routes. */
  readonly route: string | null;
  readonly algorithm: CounterRule["algorithm"];
  readonly unit: string;
  readonly limit: number;
  readonly windowSeconds: number | null;
  readonly used: number;
  readonly remaining: number;
  /** ISO 8601. */
  readonly resetsAt: string;
}

export async function readUsage(
  config: CompiledConfig,
  stores: Stores,
  query: UsageQuery,
  nowMs: number,
): Promise<StoreReply<UsageReport>> {
  const override = await overrideOf(query, stores, nowMs);
  if (override.state !== "ok") return override;
  const counts = countsOf(config, query, override.value ?? {}, nowMs);
  const takes = counts.map(({ key, rule }) => ({ key, rule, cost: 0, enforce: false }));
  const found = await stores.counters.peek(takes, nowMs);
  if (found.state !== "ok") return found;
  const limits = counts.map((one, index) => usageOf(one, found.value[index]!));
  return ok({ consumer: query.consumer ?? null, ip: query.ip ?? null, override: override.value ?? null, limits });
}

/** The names of the limits whose counts were forgotten. */
export async function resetUsage(
  config: CompiledConfig,
  stores: Stores,
  query: UsageQuery,
  nowMs: number,
): Promise<StoreReply<readonly string[]>> {
  const override = await overrideOf(query, stores, nowMs);
  if (override.state !== "ok") return override;
  const counts = countsOf(config, query, override.value ?? {}, nowMs);
  const replies = await Promise.all(counts.map(({ key, rule }) => stores.counters.reset(key, rule, nowMs)));
  const failed = replies.find((reply) => reply.state !== "ok");
  return failed ?? ok(counts.map(({ name }) => name));
}

interface OwnCount {
  readonly key: string;
  readonly rule: CounterRule;
  readonly name: string;
  readonly unit: string;
  readonly route: string | null;
}

async function overrideOf({ consumer }: UsageQuery, { blobs }: Stores, nowMs: number): Promise<StoreReply<Override | undefined>> {
  if (consumer === undefined) return ok(undefined);
  const overrides = await readOverrides(blobs, nowMs);
  return overrides.state === "ok" ? ok(overrides.value.get(consumer)) : overrides;
}

/** Every count that is this caller's own, once: a named limit stands on several routes. */
function countsOf({ routes, authenticators }: CompiledConfig, query: UsageQuery, override: Override, nowMs: number): OwnCount[] {
  const counts = new Map<string, OwnCount>();
  // Undefined for a consumer that a custom policy names: any route may know it.
  const authenticator = authenticators.find(({ name }) => query.consumer?.startsWith(`${name}:`))?.name;
  for (const { id, variants } of routes) {
    // A route that takes no credential of the consumer's kind knows its callers by their address alone.
    const known = identifies(variants, authenticator) ? query : { ...query, consumer: undefined };
    for (const { options } of stepsOfPolicy("limit", [{ variants }])) {
      const subject = subjectOf(known, options.phase);
      for (const { limit, keyOf, effectiveAt } of new LimitSet(options, id).countersFor(override.tier ?? query.tier)) {
        if (!isOwn(limit.by, subject)) continue;
        const { rule } = effectiveAt(nowMs, amountIn(override, limit.name));
        const key = keyOf(subject);
        const route = limit.scope === null ? id : null;
        counts.set(`${rule.algorithm} ${key}`, { key, rule, name: limit.name, unit: limit.unit, route });
      }
    }
  }
  return [...counts.values()];
}

function identifies(variants: CompiledConfig["routes"][number]["variants"], authenticator: string | undefined): boolean {
  if (authenticator === undefined) return true;
  const steps = variants.flatMap((variant) => variant.steps.filter(({ policy }) => policy === "auth"));
  return steps.some(({ options }) => (options as { readonly accept: readonly string[] }).accept.includes(authenticator));
}

/** The phase before identification knows no consumer. */
function subjectOf({ consumer, ip }: UsageQuery, phase: LimitOptions["phase"]): Subject {
  const known: Consumer | undefined =
    consumer === undefined || phase === "limit" ? undefined : { id: consumer, authenticator: "" };
  return { consumer: known, request: { client: { ip }, headers: new HeaderList() }, params: {} };
}

/** Whether a count is this caller's and nobody else's, as far as a name and an address can tell. */
function isOwn(by: readonly CountedBy[], { consumer, request }: Subject): boolean {
  const knowsIp = request.client.ip !== undefined;
  const parts = by.map(({ from }) => {
    if (from === "caller" || from === "consumer") return consumer || knowsIp ? "own" : "unknown";
    if (from === "ip") return knowsIp ? "own" : "unknown";
    return from === "route" || from === "backend" || from === "global" ? "shared" : "unknown";
  });
  return parts.includes("own") && !parts.includes("unknown");
}

function usageOf({ name, route, unit, rule }: OwnCount, { remaining, resetMs }: Count): LimitUsage {
  return {
    name,
    route,
    algorithm: rule.algorithm,
    unit,
    limit: rule.limit,
    windowSeconds: rule.algorithm === "concurrency" ? null : windowSeconds(rule),
    used: Math.max(0, rule.limit - remaining),
    remaining,
    resetsAt: new Date(resetMs).toISOString(),
  };
}
