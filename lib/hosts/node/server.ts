/** The Node host: the config it runs, its stores, its reload and its end. Connections of clients: ./http-server.ts. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { type HealthChecks, startHealthChecks } from "../../backends/health/health-checks.ts";
import { compileConfig } from "../../compiler/compile.ts";
import { loadConfig } from "../../compiler/load-config.ts";
import { type Environment, readEnvironment } from "../../config/env.ts";
import { formatIssues } from "../../config/issue.ts";
import { resolveReferences } from "../../config/references.ts";
import type { Log } from "../../contract/deps.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import type { Geo } from "../../http/geo.ts";
import { openStores } from "../open-stores.ts";
import { accessOf, createEngine, type EngineOptions } from "../runtime.ts";
import { type Locate, openGeoDatabase } from "./geo-database.ts";
import { createHttpServer } from "./http-server.ts";
import { listen } from "./listen.ts";
import { Overload, STANDARD_LAG_MS } from "./overload.ts";

export interface NodeServerOptions {
  /** Where the config, `.env` and the data folder are. */
  readonly cwd: string;
  /** A config file in place of what the environment names. */
  readonly file?: string | undefined;
  readonly port?: number | undefined;
  /** The address to listen on where HOST does not say. */
  readonly defaultHost: string;
  /** In development: where the standard port is taken, one of those after it. */
  readonly triesNextPort?: boolean;
  /** The demo and `npm run dev`: the console is open to this machine. */
  readonly openOnLoopback: boolean;
  /** For trying things out: every caller is there. */
  readonly simulatedGeo?: Geo | undefined;
  readonly log: Log;
  readonly requestLog?: EngineOptions["requestLog"];
  servePage(request: IncomingMessage, response: ServerResponse): void;
}

export interface NodeServer {
  readonly address: string;
  readonly port: number;
  /** Reads the config again. A bad one changes nothing: the old gateway goes on, and the promise rejects with its messages. */
  reload(): Promise<Gateway>;
  /** Stops accepting, lets what runs finish for at most 25 s, then breaks what is left. */
  close(): Promise<void>;
}

const SPARE_PORTS = 20;
const DRAIN_MS = 25_000;
/** For the connections to backends, and for the stores, once the clients are gone. */
const CLOSE_MS = 2_000;

/** Throws a ConfigError where the config or the environment is wrong: a wrong config never serves. */
export async function startNodeServer(options: NodeServerOptions): Promise<NodeServer> {
  const { cwd, log } = options;
  const environment = readEnvironment(cwd);
  // Compiled before anything is opened, so that a wrong config leaves nothing behind.
  const first = await load(options, environment);
  const stores = await openStores(environment, { cwd, log, holdsRevocations: true });
  const overload = new Overload(log);
  const engine = createEngine({
    host: { name: "node", passesContentEncoding: true, trustsContentLength: true, upgrades: true, hasTimers: true },
    stores,
    log,
    ...(options.requestLog && { requestLog: options.requestLog }),
    load: overload,
    access: { ...accessOf(environment), openOnLoopback: options.openOnLoopback },
    defer: () => {},
  });
  // A function on Vercel sleeps between requests: a check would find the backend as it was when the instance fell asleep.
  let checks: HealthChecks | undefined;
  const start = ({ config, customPolicies }: Loaded, environment: Environment): Gateway => {
    const loaded = engine.load(config, customPolicies, environment);
    checks?.stop();
    checks = startHealthChecks(loaded.backends, { pools: engine.pools, clock: { now: Date.now }, log });
    overload.setLimit(config.overloadLagMs === undefined ? STANDARD_LAG_MS : config.overloadLagMs);
    return loaded;
  };
  let gateway = start(first, environment);
  let locate = await createLocate(options, environment);
  const handling = { servePage: options.servePage, log, locate: (ip: string) => locate?.(ip) };
  const { server, drain } = createHttpServer(() => gateway, handling);
  await listen(server, {
    port: options.port ?? environment.port,
    host: environment.host ?? options.defaultHost,
    // Who says which port gets that one or none.
    spare: options.triesNextPort && environment.variables.PORT === undefined ? SPARE_PORTS : 0,
  });
  const { address, port } = server.address() as AddressInfo;

  return {
    address,
    port,
    async reload() {
      const changed = readEnvironment(cwd);
      const loaded = await load(options, changed);
      // Databases of addresses are replaced every week or so.
      locate = await createLocate(options, changed);
      gateway = start(loaded, changed);
      return gateway;
    },
    async close() {
      checks?.stop();
      await drain(DRAIN_MS);
      overload.close();
      await within(CLOSE_MS, engine.flush());
      // No caller is left. A backend that does not end what nobody waits for, or a store that is away, must not hold up the end.
      await within(CLOSE_MS, engine.pools.close());
      await within(CLOSE_MS, stores.close());
    },
  };
}

type Loaded = Pick<ReturnType<typeof compileConfig>, "config" | "customPolicies">;

async function load({ cwd, file, log }: NodeServerOptions, environment: Environment): Promise<Loaded> {
  const source = await loadConfig(environment, { cwd, file });
  const { config, customPolicies, warnings } = compileConfig(source, {
    vercel: false,
    production: environment.production,
    trustsProxy: environment.trustsProxy,
  });
  if (warnings.length > 0) log.warn(formatIssues(warnings, source.origin));
  return { config: resolveReferences(config, environment.variables, source.origin), customPolicies };
}

async function createLocate({ cwd, simulatedGeo }: NodeServerOptions, { geoDatabase }: Environment): Promise<Locate | undefined> {
  if (simulatedGeo) return () => simulatedGeo;
  return geoDatabase === undefined ? undefined : openGeoDatabase(resolve(cwd, geoDatabase));
}

/** Resolves with the promise, or when the time is over. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, over]).finally(() => clearTimeout(timer));
}
