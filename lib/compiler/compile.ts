/** From what a user wrote to what the engine runs: every fault at once, or plain data that names nothing it does not hold. */
import { createHash } from "node:crypto";
import { Fields } from "../config/fields.ts";
import { type Issue, Report } from "../config/issue.ts";
import { checkSettings } from "../config/schema-issues.ts";
import type { CompiledBackend, CompiledConfig, CompiledRoute } from "../contract/compiled/config.ts";
import { reportChecksByCron } from "./checks/checks-by-cron.ts";
import { reportFaults } from "./checks/fault-in-production.ts";
import { reportLeaks } from "./checks/leaks.ts";
import { compileRegions, reportDistantPlaces, reportVercelJson } from "./checks/regions.ts";
import { reportConflicts } from "./checks/route-conflicts.ts";
import { reportSharedCaches } from "./checks/shared-cache.ts";
import { withStricterRoutes } from "./checks/stricter-routes.ts";
import { reportUnknownPlaces } from "./checks/unknown-places.ts";
import { compileAuthenticators } from "./compile-auth.ts";
import { compileBackends } from "./compile-backends.ts";
import type { CompileOptions, Source } from "./compile-options.ts";
import { DEFAULT_MAX_BODY, type Draft, RouteCompiler } from "./compile-route.ts";
import { withPathMethods } from "./cors-methods.ts";
import { type CustomPolicies, NO_CUSTOM_POLICIES } from "./custom-policies.ts";
import { readDefaults } from "./defaults.ts";
import { compileObserve } from "./observe.ts";
import { gatewayOutline } from "./schema/gateway.ts";
import { compileTrust, mayTrustProxies } from "./trust.ts";

export interface Compiled {
  /** References unresolved: hand it to resolveReferences at start. */
  readonly config: CompiledConfig;
  readonly warnings: readonly Issue[];
  /** What `config.customPolicies` names. */
  readonly customPolicies: CustomPolicies;
}

export function compileConfig(source: Source, options: CompileOptions): Compiled {
  const report = new Report(source.locate);
  const outline = checkSettings(gatewayOutline, source.value, [], report);
  const {
    backends: backendInputs = {},
    auth = {},
    tiers,
    defaults: defaultsInput,
    routes = [],
    cors,
    maintenance,
    trust,
    regions: regionsInput,
    observe = {},
    overload,
    caseSensitive,
    trailingSlash,
  } = outline?.settings ?? {};
  const regions = compileRegions(regionsInput, new Fields(report));
  reportVercelJson(regions, options.vercelJson, options.vercel, report);
  const defaults = readDefaults(defaultsInput, { cors, maintenance }, report);
  const backendDrafts = compileBackends(backendInputs, defaults.settings, report);
  const backends = backendDrafts.map(({ backend }) => backend);
  reportDistantPlaces(regions, backends, report);
  if (options.vercel) reportChecksByCron(backends, options, report);
  const authenticators = compileAuthenticators(auth, report, options.redis);
  const comparison = { caseSensitive, trailingSlash };
  const { redis, vercel } = options;
  const fallbacks = backendDrafts.map(({ fallback }) => fallback);
  const names = { authenticators: Object.keys(auth) };
  const compiler = new RouteCompiler({ backends, fallbacks, tiers, redis, names, defaults, report, vercel, comparison });
  const compiled = routes.map((route, index) => compiler.compile(route, index)).filter((draft) => draft !== undefined);
  reportConflicts(compiled, report);
  const drafts = withStricterRoutes(withPathMethods(compiled), backends, comparison, report);
  reportSharedCaches(drafts, backends, report);
  reportFaults(drafts, options.production ?? false, report);
  const isPlaceTold = trust?.frontends || (trust?.geo && mayTrustProxies(trust, options));
  if (options.geoDatabase === false && !options.vercel && !isPlaceTold) reportUnknownPlaces(drafts, backends, report);
  const isWhole = drafts.length === routes.length;
  if (isWhole) reportUnusedBackends(drafts, backends, report);
  const compiledObserve = compileObserve(observe, isWhole ? drafts.map(({ route }) => route) : undefined, report);
  const withoutDigest: Omit<CompiledConfig, "digest"> = {
    maxBodyBytes: largestBody(drafts),
    regions,
    backends,
    authenticators,
    claims: claimsIn([backends, drafts, authenticators]),
    routes: withIds(drafts),
    unrouted: compiler.unrouted,
    trust: compileTrust(trust ?? {}, options, report),
    ...(caseSensitive === false && { caseSensitive }),
    ...(trailingSlash === "ignore" && { trailingSlash }),
    ...(compiledObserve && { observe: compiledObserve }),
    ...overloadLag(overload, report),
    customPolicies: [...compiler.customPolicies.keys()].sort(),
  };
  if (options.keepOut) reportLeaks(withoutDigest, options.keepOut, report);
  const warnings = report.settle(source.origin);
  const customPolicies = compiler.customPolicies.size > 0 ? compiler.customPolicies : NO_CUSTOM_POLICIES;
  return { config: { digest: digestOf(withoutDigest), ...withoutDigest }, warnings, customPolicies };
}

function reportUnusedBackends(drafts: readonly Draft[], backends: readonly CompiledBackend[], report: Report): void {
  const used = new Set(drafts.flatMap(({ route }) => [route.backend, route.mirror?.backend, route.fallback]));
  for (const [index, { name }] of backends.entries())
    if (!used.has(index)) report.warn("unused-backend", ["backends", name], `no route uses the backend "${name}".`);
}

function overloadLag(
  overload: false | { readonly lag: string } | undefined,
  report: Report,
): Pick<CompiledConfig, "overloadLagMs"> {
  if (overload === undefined) return {};
  return { overloadLagMs: overload ? (new Fields(report).value(overload.lag, ["overload", "lag"], "wait") ?? null) : null };
}

/** Those that hang on variables are added when these are resolved. */
function largestBody(drafts: readonly Draft[]): number {
  const sizes = drafts.flatMap(({ route }) => route.variants.map(({ maxBodyBytes }) => maxBodyBytes));
  return sizes.reduce((largest, size) => (typeof size === "number" ? Math.max(largest, size) : largest), DEFAULT_MAX_BODY);
}

function withIds(drafts: readonly Draft[]): CompiledRoute[] {
  const counts = new Map<string, number>();
  return drafts.map(({ route }) => {
    const id = `${route.host ?? ""}${route.path}`;
    const count = (counts.get(id) ?? 0) + 1;
    counts.set(id, count);
    return { ...route, id: count === 1 ? id : `${id}#${count}` };
  });
}

/** A place that speaks of a claim says `{ from: "claim", name }`: a request value, a rule, a limit's key. */
function claimsIn(compiled: unknown): string[] {
  const names = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if ("from" in value && value.from === "claim" && "name" in value) names.add(String(value.name));
    Object.values(value).forEach(visit);
  };
  visit(compiled);
  return [...names].sort();
}

/** Equal data has an equal digest, whatever the order in which keys were written. */
function digestOf(config: Omit<CompiledConfig, "digest">): string {
  const text = JSON.stringify(config, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
  return createHash("sha256").update(text).digest("base64url");
}
