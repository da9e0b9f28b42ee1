/**
 * The limits of a route as steps: those that need no identity in phase `limit`, so that they hold before credentials are looked at,
 * and the others in phase `consumer-limit`. Limits of one name are one count, so they must agree wherever they stand.
 */
import { createHash } from "node:crypto";
import type { RedisOnVercel } from "../../config/env.ts";
import { Fields } from "../../config/fields.ts";
import { type ConfigPath, formatPlace, type Report } from "../../config/issue.ts";
import { type LimitSetting, type QuotaSetting, tierSchema } from "../../config/limit-setting.ts";
import { type ConfigContext, isOpen, type RouteContext, type Setting, type StepOptions } from "../../config/policy-schema.ts";
import { asList } from "../../config/schema-fields.ts";
import { checkSettings } from "../../config/schema-issues.ts";
import type { CountedBy, Limit, LimitHeaders, LimitOptions, Tiers } from "./compiled-limit.ts";
import { isSettled } from "./limit-counter.ts";
import { isIdentity, type ReadLimit, readLimit, readQuota } from "./read-limit.ts";

/** Each limit adds a key to every trip, and to what a sealed plan carries (LIMIT_RESULTS_BYTES in lib/engine/plan.ts). */
const MAX_LIMITS = 8;
/** A key and a rule each, until the end. */
const MAX_OWING = 4;
const TIER_NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

interface Placed<T> {
  readonly value: T;
  readonly place: ConfigPath;
}

interface Given {
  readonly limit?: Setting<LimitSetting>;
  readonly quota?: Setting<QuotaSetting>;
}

type Named = Limit & { readonly given: string | undefined };

export class LimitCompiler {
  readonly #report: Report;
  readonly #redis: RedisOnVercel | undefined;
  #hasWarned = false;
  readonly #tiers: Tiers | null;
  /** What limits of a name say, and where that was said first. */
  readonly #named = new Map<string, Placed<string>>();

  constructor({ tiers, redis, report }: ConfigContext) {
    this.#report = report;
    this.#redis = redis;
    this.#tiers = this.#readTiers(tiers ?? {});
  }

  steps({ limit, quota }: Given, fields: Fields, route: RouteContext): StepOptions<LimitOptions>[] {
    if (!limit && !quota) return [];
    const entries = limit ? placedEntries(limit.value, limit.place) : [];
    const wantsTier = entries.some(({ value }) => value === "tier");
    const { place } = route.setting("limit");
    if (wantsTier && !this.#tiers) this.#report.error("tier-missing", place, 'there are no `tiers` that "tier" could stand for.');
    const read = [
      ...entries.flatMap(({ value, place }) =>
        value === "tier" ? [] : (this.#read(readLimit(value, place, fields), place) ?? []),
      ),
      ...(quota ? (this.#read(readQuota(quota.value, quota.place, fields), quota.place) ?? []) : []),
    ];
    if (route.backend === undefined && !route.isDefaults) for (const one of read) this.#checkBackend(one.value, one.place);
    const tiers = wantsTier ? this.#tiers : null;
    this.#checkNumbers(
      read.map(({ value }) => value),
      tiers,
      place,
    );
    const limits = distinct(
      read.map(({ value, place }) => ({ value: scoped(value, place, route), place })),
      this.#report,
    );
    // Where nobody is identified, `caller` is the ip: its limits need not wait.
    const open = isOpen(route);
    const needsIdentity = ({ by }: Limit) => by.some((subject) => isIdentity(subject) && !(subject.from === "caller" && open));
    const late = limits.filter(needsIdentity);
    const early = limits.filter((one) => !needsIdentity(one));
    const phase = "consumer-limit";
    const hasLate = late.length > 0 || tiers !== null;
    const headers = route.isShadow ? "none" : ((route.setting("limitHeaders").value as LimitHeaders | undefined) ?? "ietf");
    return [
      ...(early.length > 0 ? [{ options: { phase: "limit", limits: early, tiers: null, headers } } as const] : []),
      ...(hasLate
        ? [{ options: { phase, limits: late, tiers, headers: early.length > 0 ? "none" : headers }, phase } as const]
        : []),
    ];
  }

  /** A limit that others may share, held to what they say. */
  #read(limit: ReadLimit | undefined, place: ConfigPath): Placed<ReadLimit>[] | undefined {
    if (limit === undefined) return undefined;
    this.#checkStore(limit, place);
    if (limit.given !== undefined) {
      const { rule, by, unit, exact, counts } = limit;
      const said = JSON.stringify([rule, by, unit, exact, counts]);
      const earlier = this.#named.get(limit.given);
      if (!earlier) this.#named.set(limit.given, { value: said, place });
      else if (earlier.value !== said)
        this.#report.error(
          "limit-name",
          place,
          `limits of one name share one count, and ${formatPlace(earlier.place)} says something else of "${limit.given}".`,
          "Make them agree, or give them different names.",
        );
    }
    return [{ value: limit, place }];
  }

  /** Without Redis an instance on Vercel has nothing but its memory, and middleware another than the handler. */
  #checkStore({ rule, cost, counts }: Limit, place: ConfigPath): void {
    if (this.#redis === undefined || this.#redis === "set") return;
    const why =
      rule.algorithm === "period"
        ? "a quota needs Redis on Vercel: without it each instance counts by itself, and forgets."
        : rule.algorithm === "concurrency"
          ? "`concurrency` needs Redis on Vercel: the middleware takes a place that the handler gives back."
          : isSettled(cost) || counts !== "requests"
            ? "this limit needs Redis on Vercel: the middleware reserves what the handler settles."
            : undefined;
    const fix = "Add Upstash Redis to the project, or set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN.";
    if (why !== undefined && this.#redis === "absent-in-production") this.#report.error("needs-redis", place, why, fix);
    else if (why !== undefined) this.#report.warn("needs-redis", place, why, fix);
    else if (!this.#hasWarned) {
      this.#hasWarned = true;
      this.#report.warn(
        "needs-redis",
        place,
        "without Redis each instance on Vercel counts by itself: limits hold for each of them.",
        fix,
      );
    }
  }

  #checkNumbers(own: readonly Limit[], tiers: Tiers | null, place: ConfigPath): void {
    const { length: all, owing } = Object.values(tiers?.byName ?? { none: [] })
      .map((limits) => [...own, ...limits])
      .map((limits) => ({ length: limits.length, owing: limits.filter(owesSomething).length }))
      .reduce((most, one) => ({ length: Math.max(most.length, one.length), owing: Math.max(most.owing, one.owing) }));
    if (all > MAX_LIMITS) this.#report.error("too-many-limits", place, `${all} limits on one route are more than ${MAX_LIMITS}.`);
    if (owing > MAX_OWING)
      this.#report.error(
        "too-many-limits",
        place,
        `${owing} limits on one route that are settled at its end are more than ${MAX_OWING}.`,
      );
  }

  #checkBackend({ by, cost }: Limit, place: ConfigPath): void {
    if (counts("backend", by)) this.#report.error("needs-backend", place, "there is no `backend` that could be counted by.");
    if (cost.kind === "header" || cost.kind === "json" || cost.kind === "usage")
      this.#report.error("needs-backend", place, "there is no `backend` whose answer could tell the cost.");
  }

  #checkTierLimit({ by, given, counts: counted }: ReadLimit, place: ConfigPath): void {
    const conflict = (key: string, message: string) => this.#report.error("limit-conflict", [...place, key], message);
    if (counts("route", by) || counts("backend", by))
      conflict("by", "a tier counts over the whole gateway, not by route or backend.");
    if (given !== undefined) conflict("name", 'a limit of a tier has its name from the tier: "tier".');
    if (counted !== "requests") conflict("count", "failures are counted before it is known whose tier it is.");
  }

  #readTiers(inputs: Readonly<Record<string, unknown>>): Tiers | null {
    const names = Object.keys(inputs);
    const fields = new Fields(this.#report);
    const byName = Object.fromEntries(
      names.map((name) => {
        const place = ["tiers", name];
        if (!TIER_NAME.test(name))
          this.#report.error(
            "name-grammar",
            place,
            `"${name}" is no name for a tier: letters, digits, - and _, beginning with a letter.`,
          );
        return [name, this.#readTier(inputs[name], place, fields)];
      }),
    );
    return names.length === 0 ? null : { standard: names[0]!, byName };
  }

  #readTier(input: unknown, place: ConfigPath, fields: Fields): readonly Limit[] {
    const { limit, quota } = checkSettings(tierSchema, input, place, this.#report)?.settings ?? {};
    const limits = placedEntries(limit, [...place, "limit"]).flatMap(({ value, place: at }) => {
      if (value === "tier") this.#report.error("tier-missing", at, 'a tier can\'t stand for "tier" itself.');
      const read = value === "tier" ? undefined : readLimit(value, at, fields);
      if (read) this.#checkTierLimit(read, at);
      if (read) this.#checkStore(read, at);
      return read ?? [];
    });
    const quotas = quota === undefined ? [] : [readQuota(quota, [...place, "quota"], fields) ?? []].flat();
    for (const one of quotas) this.#checkStore(one, [...place, "quota"]);
    return [
      ...limits.map((one, index) => ofTier(one, index === 0 ? "tier" : `tier-${index + 1}`)),
      ...quotas.map((one) => ofTier(one, "tier-quota")),
    ];
  }
}

/** A tariff is one for the whole gateway, and what was used of it stays used when the consumer's tier changes. */
function ofTier({ given: _, ...limit }: ReadLimit, name: string): Limit {
  return { ...limit, name, scope: name };
}

function placedEntries<T extends LimitSetting>(
  input: T | undefined,
  place: ConfigPath,
): Placed<Exclude<T, readonly unknown[]>>[] {
  return asList<unknown>(input).map((value, index) => ({
    value: value as Exclude<T, readonly unknown[]>,
    place: Array.isArray(input) ? [...place, index] : place,
  }));
}

/** What the count belongs to: a name, all routes that say the same of a backend or of everything, or the route and its method. */
function scoped({ given, ...limit }: ReadLimit, place: ConfigPath, route: RouteContext): Named {
  const isShared = counts("backend", limit.by) || counts("global", limit.by);
  const ownMethod = place.includes("byMethod") ? String(place[place.indexOf("byMethod") + 1]) : null;
  return {
    ...limit,
    given,
    by: limit.by.map((subject) => (subject.from === "backend" ? { ...subject, name: route.backend ?? "" } : subject)),
    counts: limit.counts === "failures" && isOpen(route) ? "failures-reserved" : limit.counts,
    scope: given !== undefined ? `@${given}` : isShared ? `=${digestOf([limit.rule, limit.by, limit.unit])}` : null,
    method: ownMethod,
  };
}

/** Names that nobody gave are told apart; a given one stands once. */
function distinct(limits: readonly Placed<Named>[], report: Report): Limit[] {
  const seen = new Set<string>();
  return limits.map(({ value: { given, ...limit }, place }) => {
    if (given !== undefined && seen.has(given))
      report.error("limit-name", place, `"${given}" stands twice on this route, and would be charged twice.`);
    let { name } = limit;
    for (let count = 2; seen.has(name); count++) name = `${limit.name}-${count}`;
    seen.add(name);
    return { ...limit, name };
  });
}

function owesSomething({ rule, cost, counts: counted }: Limit): boolean {
  return rule.algorithm === "concurrency" || counted !== "requests" || cost.kind !== "fixed";
}

function counts(what: CountedBy["from"], by: readonly CountedBy[]): boolean {
  return by.some(({ from }) => from === what);
}

function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, 8);
}
