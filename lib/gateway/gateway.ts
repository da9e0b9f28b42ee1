/**
 * The story of a request. `decide` runs what can be decided before the body is read and gives a verdict; `execute` forwards and
 * sends. The Node host calls both in one process; on Vercel a sealed plan carries the verdict from the middleware to the handler.
 */

import { createAuthenticators } from "../authenticators/index.ts";
import type { Assertions } from "../backends/assertions.ts";
import { type Backend, createBackend } from "../backends/backend.ts";
import { type CheckRuns, createCheckRuns } from "../backends/health/check-runs.ts";
import type { Pools } from "../backends/pools.ts";
import { createTargetStates, type TargetStates } from "../backends/target-state.ts";
import { cachedPaths } from "../cache/cached-paths.ts";
import { GatewayCache, type Purge } from "../cache/gateway-cache.ts";
import type { Authenticator } from "../contract/authenticator.ts";
import type { CompiledConfig } from "../contract/compiled/config.ts";
import type { Deps } from "../contract/deps.ts";
import type { HostTraits } from "../contract/host-traits.ts";
import { type Load, NO_LOAD, PRIORITIES } from "../contract/load.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import type { CorsRule, CustomPolicy, PolicyDefinition } from "../contract/policy.ts";
import { type Refusal, refuse } from "../contract/problem.ts";
import type { RequestRecord } from "../contract/record.ts";
import type { GatewayRequest } from "../contract/request.ts";
import type { Sink } from "../contract/sink.ts";
import type { StoreReply } from "../contract/stores/reply.ts";
import { createMatcher, createStricterReader, type Match, paramsOf } from "../engine/match.ts";
import { fitsPlan, type Plan } from "../engine/plan.ts";
import { RequestContext } from "../engine/request-context.ts";
import { createRoute, type Route, UNROUTED } from "../engine/route.ts";
import { DEFERRED, type Deferred, runSteps, type Stop } from "../engine/run-steps.ts";
import { sendStop } from "../engine/send.ts";
import { AskedFields } from "../http/asked-fields.ts";
import { fieldOf } from "../http/credential.ts";
import { isHost } from "../http/host.ts";
import { readRequestHeaders } from "../http/hygiene.ts";
import { authorityOf, parseTarget, type Target, UNREADABLE_TARGET } from "../http/target.ts";
import { execute, executeContext } from "../proxy/execute.ts";
import { buildPipeline, type PipelineSource } from "./build-pipeline.ts";
import { createResourceMetadata } from "./resource-metadata.ts";

/** The engine's own endpoints, under /gateway on every host and whatever the routes say. */
export interface Endpoints {
  /** Whether a page of the console, or one of its files, stands at this target: those are the host's to serve. */
  isConsole(target: Target): boolean;
  /** A refusal for callers who may not see the console. */
  admit(ctx: RequestContext): Stop | undefined;
  /** The answer to the operator's `frontdesk doctor`, which may ask on any path; undefined for every other request. */
  examine(ctx: RequestContext): (() => Stop) | undefined;
  answer(ctx: RequestContext): MaybePromise<Stop>;
}

export interface GatewayOptions {
  /** References resolved. */
  readonly config: CompiledConfig;
  readonly policies: ReadonlyMap<string, PolicyDefinition>;
  readonly customPolicies: ReadonlyMap<string, CustomPolicy>;
  readonly deps: Deps;
  readonly pools: Pools;
  readonly host: HostTraits;
  /** The public origin; undefined where nobody has said it. */
  readonly url?: string | undefined;
  readonly endpoints: Endpoints;
  readonly assertions: Assertions;
  /** What gateways before this one have learned of their targets. */
  readonly targetStates?: TargetStates;
  /** Outlives this gateway, as answers do whose routes mean the same in the next. */
  readonly cache?: GatewayCache;
  /** Absent where a host does not see its own load. */
  readonly load?: Load;
  readonly onRecord?: (record: RequestRecord) => void;
}

export type Verdict =
  /** Refused, or answered without a backend. */
  | { readonly kind: "stop"; readonly ctx: RequestContext; readonly stop: Stop }
  | { readonly kind: "execute"; readonly ctx: RequestContext }
  /** A page that the host serves; the caller may see it. */
  | { readonly kind: "console"; readonly ctx: RequestContext }
  /** Only from the front half: nothing was charged, and the handler decides. */
  | { readonly kind: "defer"; readonly ctx: RequestContext };

/** `front` is a half of its own (Vercel's middleware), `whole` is all of it in one place. */
export type Half = "front" | "whole";

export interface Gateway {
  readonly config: CompiledConfig;
  readonly routes: readonly Route[];
  /** Names of the fields that credentials may stand in: a plan is bound to what stands there. */
  readonly credentialFields: ReadonlySet<string>;
  readonly backends: readonly Backend[];
  /** Undefined where the host checks targets by itself. */
  readonly checks: CheckRuns | undefined;
  decide(request: GatewayRequest, half: Half): MaybePromise<Verdict>;
  /** Takes up a plan that was opened for this request; undefined where its route is not known here. */
  resume(request: GatewayRequest, plan: Plan): RequestContext | undefined;
  execute(ctx: RequestContext, sink: Sink): void;
  send(ctx: RequestContext, stop: Stop, sink: Sink): void;
  /** Drops stored answers, and says how many. */
  purge(what: Purge): MaybePromise<StoreReply<number>>;
  /** For what a host has to refuse itself. The fields of its route stand in the answer (CORS), and none of its policies decides. */
  refuse(request: GatewayRequest, refusal: Refusal, sink: Sink): void;
}

export function createGateway(options: GatewayOptions): Gateway {
  const { config, deps, endpoints, assertions, load = NO_LOAD } = options;
  const states = options.targetStates ?? createTargetStates();
  const ownBackends = config.backends.map((compiled) => createBackend(compiled, states, deps));
  states.settle();
  const checks = options.host.keepsTime ? undefined : createCheckRuns(ownBackends, { ...deps, pools: options.pools });
  const backends: readonly Backend[] = checks?.backends ?? ownBackends;
  const authenticators = createAuthenticators(config, { deps, claims: config.claims });
  const metadata = createResourceMetadata(config, authenticators, options.url);
  const source: PipelineSource = {
    config,
    builtIn: options.policies,
    custom: options.customPolicies,
    authenticators,
    metadata,
    assertions,
    backends,
    deps,
  };
  const routes = config.routes.map((compiled) => {
    const backend = compiled.backend === null ? undefined : backends[compiled.backend];
    return createRoute(compiled, (route, variant) => buildPipeline(source, route, variant, backend));
  });
  const unrouted = createRoute(UNROUTED, (route, variant) =>
    buildPipeline(source, route, { ...variant, steps: config.unrouted }, undefined),
  );
  const byId = new Map(routes.map((route) => [route.id, route]));
  const match = createMatcher(routes, config);
  const stricterReading = createStricterReader(routes);
  /** Names this gateway in Via (RFC 9110 section 7.6.3): one config, one name, so that a loop over several instances shows. */
  const name = `frontdesk-${config.digest.replace(/[^A-Za-z0-9]/g, "").slice(0, 10)}`;
  const { cache = new GatewayCache(deps.stores.blobs, options.host.name) } = options;
  const context = executeContext({ ...options, via: `1.1 ${name}`, cache, isCached: cachedPaths(routes) });

  function begin(received: GatewayRequest): RequestContext {
    const facts = received.facts ?? readRequestHeaders(received.headers);
    const authority = authorityOf(received.target);
    const isAsReceived = authority === undefined && facts.headers === received.headers;
    const request = isAsReceived ? received : { ...received, headers: facts.headers, host: authority ?? received.host };
    const target = parseTarget(received.target) ?? UNREADABLE_TARGET;
    return new RequestContext(request, facts, target, unrouted, deps.clock.now(), deps.clock.monotonic());
  }

  /** Guard, match, and what the header fields alone tell. */
  function screen(ctx: RequestContext): Refusal | undefined {
    const { request, target, facts } = ctx;
    if (target === UNREADABLE_TARGET) return refuse("bad-request", { detail: "The request target is not a path." });
    const asked = preflightMethod(ctx);
    const wanted = asked === undefined ? undefined : enterPreflight(ctx, asked);
    if (ctx.granted) return undefined;
    const found = match(request.method, request.host, target, facts.headers);
    if (found.kind !== "none") {
      // A refused preflight has the CORS fields of the route that it asks about, or none.
      if (found.kind === "method-not-allowed" && wanted?.kind === "route") ctx.enter(wanted.route, wanted.params, asked);
      else ctx.enter(found.route, found.params);
      if (found.route.priority < load.shed && load.refuses(found.route.priority)) return overloaded(found.route, load);
    }
    const fault = faultOf(target, ctx.route);
    if (fault) return refuse("bad-request", { detail: `There is ${fault}.` });
    if (found.kind === "none") return refuse("route-not-found");
    if (found.route.stricter !== undefined) {
      const stricter = stricterReading(found.route, request.method, request.host, target, facts.headers);
      if (stricter) return readAnotherWay(stricter);
    }
    if (found.kind === "method-not-allowed") {
      return refuse("method-not-allowed", { headers: ["allow", found.allow.join(", ")] });
    }
    // It would send the caller's own credentials back to whatever script asked (RFC 9110 section 9.3.8).
    if (request.method === "TRACE") return refuse("method-not-allowed", { headers: ["allow", allowedBy(found.route)] });
    if (facts.via?.includes(name)) return refuse("loop-detected");
    if (!options.host.upgrades && facts.upgrade?.toLowerCase() === "websocket") return refuse("upgrade-unsupported");
    const { maxBodyBytes } = ctx.pipeline;
    if (facts.contentLength !== undefined && facts.contentLength > maxBodyBytes) {
      return refuse("payload-too-large", { detail: `The body may have at most ${maxBodyBytes} bytes.` });
    }
    return undefined;
  }

  /**
   * A preflight is answered by the CORS of the route that its requested method leads to; `granted` stays undefined where that has none.
   * A browser keeps the list of methods, and each on it is granted from then on: so each must be by its own route.
   */
  function enterPreflight(ctx: RequestContext, asked: string): Match {
    const { request, target, facts } = ctx;
    const fields = new AskedFields(facts.headers, facts.headers.all("access-control-request-headers").join(","));
    const find = (method: string) => match(method, request.host, target, fields);
    const found = find(asked);
    const [route, params] = found.kind === "none" ? [unrouted, {}] : [found.route, found.params];
    const rule = corsOf(route, asked);
    if (faultOf(target, route) || !rule) return found;
    ctx.enter(route, params, asked);
    const origin = facts.headers.get("origin")!;
    ctx.granted = (rule.methods ?? [asked]).filter((method) => {
      const own = method === asked ? found : find(method);
      const { allows, credentials } = (own.kind === "route" && corsOf(own.route, method)) || NO_CORS;
      return allows(origin) && (credentials || !rule.credentials);
    });
    return found;
  }

  function decide(received: GatewayRequest, half: Half): MaybePromise<Verdict> {
    const ctx = begin(received);
    const unclear = unclearRequest(ctx);
    if (unclear) return { kind: "stop", ctx, stop: unclear };
    if (ctx.facts.withReserved !== undefined) {
      const examined = endpoints.examine(ctx);
      if (examined) return half === "front" ? { kind: "defer", ctx } : { kind: "stop", ctx, stop: examined() };
    }
    if (ctx.target.segments[0] === "gateway") return decideEngine(ctx, half);
    const document = metadata?.answer(ctx.request, ctx.target, match);
    if (document) return { kind: "stop", ctx, stop: document };
    const refusal = screen(ctx);
    if (refusal) return { kind: "stop", ctx, stop: refusal };
    const { pipeline } = ctx;
    if (half === "whole") return verdict(ctx, runSteps(pipeline.decide, ctx, deps));
    if (pipeline.decideIn === "handler") return { kind: "defer", ctx };
    return verdict(
      ctx,
      runSteps(pipeline.decide, ctx, deps, () => fitsPlan(ctx.toPlan())),
    );
  }

  function decideEngine(ctx: RequestContext, half: Half): MaybePromise<Verdict> {
    if (endpoints.isConsole(ctx.target)) {
      const stop = PAGE_METHODS.has(ctx.request.method) ? endpoints.admit(ctx) : NO_PAGE_METHOD;
      return stop ? { kind: "stop", ctx, stop } : { kind: "console", ctx };
    }
    return half === "front" ? { kind: "defer", ctx } : verdict(ctx, endpoints.answer(ctx));
  }

  return {
    config,
    routes,
    credentialFields: credentialFields(authenticators.values()),
    backends,
    checks,
    decide,
    resume(received, plan) {
      const route = byId.get(plan.route);
      if (!route) return undefined;
      const ctx = begin({ ...received, target: plan.target });
      ctx.enter(route, paramsOf(route, ctx.target.segments));
      ctx.resume(plan);
      return ctx;
    },
    execute: (ctx, sink) => execute(ctx, sink, context),
    send: (ctx, stop, sink) => sendStop(ctx, stop, sink, context),
    purge: (what) => cache.purge(what),
    refuse(received, refusal, sink) {
      const ctx = begin(received);
      const { request, target, facts } = ctx;
      const found = target === UNREADABLE_TARGET ? undefined : match(request.method, request.host, target, facts.headers);
      if (found?.kind !== undefined && found.kind !== "none") ctx.enter(found.route, found.params);
      sendStop(ctx, refusal, sink, context);
    },
  };
}

/** Some stand here whatever the config says: custom policies read credentials too. */
function credentialFields(authenticators: Iterable<Authenticator>): ReadonlySet<string> {
  const names = new Set(["authorization", "cookie", "proxy-authorization", "x-api-key"]);
  for (const { places, hangsOn = [] } of authenticators)
    for (const name of [...places.map(fieldOf), ...hangsOn]) if (name !== undefined) names.add(name);
  return names;
}

/** What can't be judged, whatever it is for. HTTP/1.0 may come without a host. */
function unclearRequest({ request: { host }, facts: { fault } }: RequestContext): Refusal | undefined {
  if (host !== "" && !isHost(host)) return refuse("bad-request", { detail: "There is a Host that is not one host." });
  return fault === undefined ? undefined : refuse("bad-request", { detail: `There is ${fault}.` });
}

/** The method that a CORS preflight asks about (Fetch standard, CORS-preflight request). */
function preflightMethod({ request, facts }: RequestContext): string | undefined {
  if (request.method !== "OPTIONS" || !facts.headers.has("origin")) return undefined;
  return facts.headers.get("access-control-request-method");
}

/** A method's CORS decides first. */
function corsOf(route: Route, method: string): CorsRule | undefined {
  const [first] = route.pipelineFor(method).decide;
  return first?.enforce ? first.policy.cors : undefined;
}

const NO_CORS: Pick<CorsRule, "allows" | "credentials"> = { credentials: false, allows: () => false };

/** Next answers other methods of a page with 500 or with the page itself. */
const PAGE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);
const NO_PAGE_METHOD = refuse("method-not-allowed", { headers: ["allow", "GET, HEAD"] });

/** What the route's guard does not let pass: the path could mean another thing to the backend than it did to the matcher. */
function faultOf(target: Target, route: Route): string | undefined {
  // Lenient means byte for byte. A path put together anew is not that: `..` would climb out of what the rewrite names.
  if (route.guard === "lenient" && route.rewrite?.kind !== "path") return undefined;
  if (target.fault) return target.fault;
  return target.hasEncodedSlash && route.encodedSlash === "refuse" ? "an encoded slash in the path" : undefined;
}

/** Two readers of one path: the spelling would have been judged by the laxer route's rules. */
function readAnotherWay(stricter: Route | "climbs"): Refusal {
  const whose = stricter === "climbs" ? "no route's" : `that of ${stricter.position} (${stricter.path}), which asks for more`;
  return refuse("route-not-found", { reason: `to a server that reads paths more laxly the path is ${whose}` });
}

function overloaded({ priority }: Route, { shed, lagMs }: Load): Refusal {
  const share = Math.round(Math.min(shed - priority, 1) * 100);
  const reason = `the event loop is ${Math.round(lagMs)} ms late: ${share} % of priority ${PRIORITIES[priority]} are refused`;
  // In two seconds a share falls from all to none (lib/hosts/node/overload.ts).
  return refuse("overloaded", { headers: ["retry-after", "2"], reason });
}

function allowedBy({ methods }: Route): string {
  return (methods ?? ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]).join(", ");
}

function verdict(ctx: RequestContext, result: MaybePromise<Stop | Deferred | undefined>): MaybePromise<Verdict> {
  if (result instanceof Promise) return result.then((settled) => verdict(ctx, settled));
  if (result === DEFERRED) return { kind: "defer", ctx };
  return result ? { kind: "stop", ctx, stop: result } : { kind: "execute", ctx };
}
