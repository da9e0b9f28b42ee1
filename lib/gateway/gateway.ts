/**
 * The story of a request. `decide` (decide.ts) gives a verdict before the body is read; `execute` forwards and sends. The Node host
 * calls both in one process. On Vercel a sealed plan carries the verdict from the middleware to the handler.
 */

import { createAuthenticators } from "../authenticators/index.ts";
import type { Assertions } from "../backends/assertions.ts";
import { type Backend, createBackend } from "../backends/backend.ts";
import { createScheduledHealthChecks, type ScheduledHealthChecks } from "../backends/health/scheduled-health-checks.ts";
import type { Pools } from "../backends/pools.ts";
import { createTargetStates, type TargetStates } from "../backends/target-state.ts";
import { cachedPaths } from "../cache/cached-paths.ts";
import { GatewayCache, type Purge } from "../cache/gateway-cache.ts";
import type { Authenticator } from "../contract/authenticator.ts";
import type { CompiledConfig } from "../contract/compiled/config.ts";
import type { Deps } from "../contract/deps.ts";
import type { HostTraits } from "../contract/host-traits.ts";
import { type Load, NO_LOAD } from "../contract/load.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import type { CustomPolicy, PolicyDefinition } from "../contract/policy.ts";
import type { Refusal } from "../contract/problem.ts";
import type { RequestRecord } from "../contract/record.ts";
import type { GatewayRequest } from "../contract/request.ts";
import type { Sink } from "../contract/sink.ts";
import type { StoreReply } from "../contract/stores/reply.ts";
import { beginRequest } from "../engine/begin-request.ts";
import { createMatcher, createStricterReader, paramsOf } from "../engine/match.ts";
import type { Plan } from "../engine/plan.ts";
import { createRecorder } from "../engine/recorder.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { Route } from "../engine/route.ts";
import type { EarlyResponse } from "../engine/run-steps.ts";
import { createScreen } from "../engine/screen.ts";
import { sendEarly } from "../engine/send.ts";
import { fieldOf } from "../http/credential.ts";
import { UNREADABLE_TARGET } from "../http/target.ts";
import { execute } from "../proxy/execute.ts";
import { buildRoutes } from "./build-routes.ts";
import { createDecide, type Half, type Verdict } from "./decide.ts";
import type { Endpoints } from "./endpoints.ts";
import { createResourceMetadata } from "./resource-metadata.ts";

export interface GatewayOptions {
  /** References resolved. */
  readonly config: CompiledConfig;
  readonly policies: ReadonlyMap<string, PolicyDefinition>;
  readonly customPolicies: ReadonlyMap<string, CustomPolicy>;
  readonly deps: Deps;
  readonly pools: Pools;
  readonly host: HostTraits;
  /** The public origin; undefined where it is not known. */
  readonly url?: string | undefined;
  readonly endpoints: Endpoints;
  readonly assertions: Assertions;
  /** The health of targets, as earlier gateways have learned it. */
  readonly targetStates?: TargetStates;
  /** It outlives this gateway: stored answers stay where their routes mean the same in the next. */
  readonly cache?: GatewayCache;
  /** Absent where a host does not see its own load. */
  readonly load?: Load;
  readonly onRecord?: (record: RequestRecord) => void;
}

export interface Gateway {
  readonly config: CompiledConfig;
  readonly routes: readonly Route[];
  /** Names of the fields that may hold credentials: a plan is bound to their values. */
  readonly credentialFields: ReadonlySet<string>;
  readonly backends: readonly Backend[];
  /** Undefined on a host with timers, which checks targets by itself. */
  readonly checks: ScheduledHealthChecks | undefined;
  decide(request: GatewayRequest, half: Half): MaybePromise<Verdict>;
  /** Takes up a plan that was opened for this request; undefined where its route is not known here. */
  resume(request: GatewayRequest, plan: Plan): RequestContext | undefined;
  execute(ctx: RequestContext, sink: Sink): void;
  send(ctx: RequestContext, stop: EarlyResponse, sink: Sink): void;
  /** Drops stored answers, and says how many. */
  purge(what: Purge): MaybePromise<StoreReply<number>>;
  /** Sends a refusal of the host. The answer has the fields of its route (CORS); no policy of the route decides. */
  refuse(request: GatewayRequest, refusal: Refusal, sink: Sink): void;
}

export function createGateway(options: GatewayOptions): Gateway {
  const { config, deps, host, endpoints, assertions, load = NO_LOAD } = options;
  const { backends, checks } = createBackends(options);
  const authenticators = createAuthenticators(config, { deps, claims: config.claims });
  const metadata = createResourceMetadata(config, authenticators, options.url);
  const { policies: builtIn, customPolicies: custom } = options;
  const { routes, unrouted } = buildRoutes({ config, builtIn, custom, authenticators, metadata, assertions, backends, deps });
  const byId = new Map(routes.map((route) => [route.id, route]));
  const match = createMatcher(routes, config);
  const stricterReading = createStricterReader(routes);
  const name = pseudonymOf(config);
  const screen = createScreen({ match, stricterReading, unrouted, load, name, upgrades: host.upgrades });
  const decide = createDecide({ endpoints, metadata, match, screen, deps });
  const { cache = new GatewayCache(deps.stores.blobs, host.name) } = options;
  const proxy = { deps, pools: options.pools, host, via: `1.1 ${name}`, cache, isCached: cachedPaths(routes) };
  const recorder = createRecorder(deps, options.onRecord);
  const begin = (received: GatewayRequest) => beginRequest(received, unrouted, deps.clock, recorder);

  return {
    config,
    routes,
    credentialFields: credentialFields(authenticators.values()),
    backends,
    checks,
    decide: (received, half) => decide(begin(received), half),
    resume(received, plan) {
      const route = byId.get(plan.route);
      if (!route) return undefined;
      const ctx = begin({ ...received, target: plan.target });
      ctx.setRoute(route, paramsOf(route, ctx.target.segments));
      ctx.resume(plan);
      return ctx;
    },
    execute: (ctx, sink) => execute(ctx, sink, proxy),
    send: (ctx, stop, sink) => sendEarly(ctx, stop, sink, proxy),
    purge: (what) => cache.purge(what),
    refuse(received, refusal, sink) {
      const ctx = begin(received);
      const { request, target, facts } = ctx;
      const found = target === UNREADABLE_TARGET ? undefined : match(request.method, request.host, target, facts.headers);
      if (found?.kind !== undefined && found.kind !== "none") ctx.setRoute(found.route, found.params);
      sendEarly(ctx, refusal, sink, proxy);
    },
  };
}

/** The backends, and the scheduled checks of their targets for a host without timers. */
function createBackends({ config, deps, pools, host, targetStates: states = createTargetStates() }: GatewayOptions) {
  const own: readonly Backend[] = config.backends.map((compiled) => createBackend(compiled, states, deps));
  states.settle();
  const checks = host.hasTimers ? undefined : createScheduledHealthChecks(own, { ...deps, pools });
  return { backends: checks?.backends ?? own, checks };
}

/** Names this gateway in Via (RFC 9110 section 7.6.3): one config, one name, so that a loop over several instances shows. */
function pseudonymOf({ digest }: CompiledConfig): string {
  return `frontdesk-${digest.replace(/[^A-Za-z0-9]/g, "").slice(0, 10)}`;
}

/** Four names are in the set with every config: custom policies read credentials too. */
function credentialFields(authenticators: Iterable<Authenticator>): ReadonlySet<string> {
  const names = new Set(["authorization", "cookie", "proxy-authorization", "x-api-key"]);
  for (const { sources, varyHeaders = [] } of authenticators)
    for (const name of [...sources.map(fieldOf), ...varyHeaders]) if (name !== undefined) names.add(name);
  return names;
}
