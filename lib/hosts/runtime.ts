/** What every host does to get from a compiled config to a running gateway: one clock, one source of randomness, one list of policies. */
import { randomBytes } from "node:crypto";
import { type AdminAccess, createAdmit, createCronAdmit, createMetricsAdmit } from "../admin/admit.ts";
import type { Api } from "../admin/api.ts";
import { createAdminApi } from "../admin/create-api.ts";
import { createDoctor } from "../admin/doctor.ts";
import { createEndpoints } from "../admin/endpoints.ts";
import { describeBackends, describeRoutes, describeStatus, type Overview } from "../admin/overview.ts";
import { createSessions } from "../admin/sessions.ts";
import { VERSION } from "../admin/version.ts";
import { createAssertions } from "../backends/assertions.ts";
import { createOutbound } from "../backends/outbound.ts";
import { createPools, type Pools } from "../backends/pools.ts";
import { createTargetStates } from "../backends/target-state.ts";
import { GatewayCache, type Purge } from "../cache/gateway-cache.ts";
import type { CustomPolicies } from "../compiler/custom-policies.ts";
import type { Environment } from "../config/env.ts";
import { summarizeConfig } from "../console/config-summary.ts";
import { readApi } from "../console/readings.ts";
import { shareWithConsole } from "../console/shared-view.ts";
import type { CompiledConfig } from "../contract/compiled/config.ts";
import type { Deps, Log } from "../contract/deps.ts";
import type { HostTraits } from "../contract/host-traits.ts";
import type { Load } from "../contract/load.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import type { Stores } from "../contract/stores/stores.ts";
import { createGateway, type Gateway } from "../gateway/gateway.ts";
import { createObserver, type ObserverOptions } from "../observe/observer.ts";
import { POLICIES } from "../policies/index.ts";

export interface EngineOptions {
  readonly host: HostTraits;
  readonly stores: Stores;
  readonly log: Log;
  readonly access: AdminAccess;
  /** Undici's, where nothing else is given. */
  readonly pools?: Pools;
  readonly call?: Deps["call"];
  readonly load?: Load;
  /** Where the request log goes, and in which format unless the config says. Absent: nowhere. */
  readonly requestLog?: ObserverOptions["requestLog"];
  defer(promise: Promise<unknown>): void;
}

/** One for each process or function instance. Gateways come and go with their configs; stores, pools and records stay. */
export interface Engine {
  readonly pools: Pools;
  /** References resolved. The gateway made last is the one that the console shows. */
  load(config: CompiledConfig, customPolicies: CustomPolicies, environment: Environment): Gateway;
  /** A sealed plan was there and did not open: never in normal operation. */
  countUnopenedPlan(): void;
  /** Hands what is still counted here to the store: for the end of the process. */
  flush(): Promise<void>;
}

/** The tokens by which the gateway's own endpoints admit somebody. */
export function accessOf({ adminToken, cronSecret, metricsToken }: Environment): Omit<AdminAccess, "openOnLoopback"> {
  return { token: adminToken, cronSecret, metricsToken };
}

/** Where it runs: Vercel's word for it, or Node's. */
function nameOf({ vercelEnv, variables }: Environment): string {
  return vercelEnv ?? variables["NODE_ENV"] ?? "production";
}

export function createEngine({
  host,
  stores,
  log,
  access,
  pools = createPools(),
  call = createOutbound(pools, Date.now),
  load,
  requestLog,
  defer,
}: EngineOptions): Engine {
  const targetStates = createTargetStates();
  const cache = new GatewayCache(stores.blobs, host.name);
  const observer = createObserver({
    stores,
    clock: { now: Date.now },
    requestLog,
    random: Math.random,
    batchId: () => randomBytes(12).toString("base64url"),
    defer: (work) => defer(work),
  });
  let unopenedPlans = 0;
  let current: Gateway | undefined;
  let currentApi: Api | undefined;
  let loadedAt = "";
  let place: Pick<Overview, "environment" | "region">;

  const describe = (): Overview => ({
    version: VERSION,
    host: host.name,
    ...place,
    digest: current!.config.digest,
    loadedAt,
    stores: stores.describe,
    storeStatus: describeStatus(stores.status()),
    backends: describeBackends(current!, Date.now()),
    routes: describeRoutes(current!),
    recent: observer.recent(),
    unopenedPlans,
    load: load?.isWatched ? { lagMs: Math.round(load.lagMs), shed: load.shed } : undefined,
  });
  const overview = (): MaybePromise<Overview> => current!.checks?.look()?.then(describe) ?? describe();
  const admitDeps = { counters: stores.local, log, now: Date.now };
  const sessions = access.token === undefined ? undefined : createSessions(access.token, Date.now);
  const admit = createAdmit(access, admitDeps, sessions);
  const checks = { admit: createCronAdmit(access, admitDeps), checks: () => current!.checks };
  shareWithConsole({
    host: host.name,
    overview,
    config: () => summarizeConfig(current!.config),
    read: (name, query) => readApi(currentApi!, name, query),
    admits: (request) => admit(request) === undefined,
  });

  return {
    pools,
    load(config, customPolicies, environment) {
      const deps = {
        clock: { now: Date.now, monotonic: () => performance.now() },
        random: (bytes: number) => new Uint8Array(randomBytes(bytes)),
        stores,
        call,
        log,
        defer: (promise: Promise<unknown>) =>
          defer(promise.catch((error: unknown) => log.error("deferred work failed", { error: String(error) }))),
      };
      const assertions = createAssertions(config, environment, deps.clock.now);
      const purge = (what: Purge) => current!.purge(what);
      const api = createAdminApi(
        { stores, log, config, now: deps.clock.now, random: deps.random },
        { overview, purge, flush: observer.flush },
      );
      const { adminToken, region } = environment;
      const diagnose = createDoctor({ adminToken, host: host.name, region, config, call, now: deps.clock.now });
      const endpoints = createEndpoints({
        admit,
        overview,
        api,
        jwks: assertions.jwks,
        diagnose,
        checks,
        metrics: {
          admit: createMetricsAdmit(access, admitDeps),
          store: stores.metrics,
          flush: config.observe?.metrics === false ? undefined : observer.flush,
          now: deps.clock.now,
        },
        signIn: { sessions, admit: createAdmit({ ...access, openOnLoopback: false }, admitDeps), clock: deps.clock },
        clock: deps.clock,
        // Of those at hand, this config may use few.
        customPolicies: config.customPolicies.flatMap((name) => customPolicies.get(name) ?? []),
      });
      current = createGateway({
        config,
        policies: POLICIES,
        customPolicies,
        deps,
        pools,
        host,
        url: environment.url,
        endpoints,
        assertions,
        targetStates,
        cache,
        ...(load && { load }),
        onRecord: observer.observe(config),
      });
      currentApi = api;
      place = { environment: access.openOnLoopback ? "local" : nameOf(environment), region };
      loadedAt = new Date().toISOString();
      return current;
    },
    flush: observer.flush,
    countUnopenedPlan() {
      unopenedPlans++;
      log.warn("a sealed plan did not open: the request was decided again");
    },
  };
}
