/** The Node host: a server on node:http, the config it runs, its reload and its end. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { type HealthChecks, startHealthChecks } from "../backends/health-checks.ts";
import { compileConfig } from "../config/compile.ts";
import { type Environment, readEnvironment } from "../config/env.ts";
import { formatIssues } from "../config/issue.ts";
import { loadConfig } from "../config/load.ts";
import { resolveReferences } from "../config/references.ts";
import type { Geo } from "../exchange.ts";
import type { Gateway } from "../gateway.ts";
import type { Log } from "../policy.ts";
import { createStores } from "../stores/create-stores.ts";
import { createEngine } from "./engine.ts";
import { type Locate, openGeoDatabase } from "./geo-database.ts";
import { listen } from "./listen.ts";
import { handleNodeRequest } from "./node.ts";
import { createUpgrades } from "./node-upgrade.ts";
import { Overload, STANDARD_LAG_MS } from "./overload.ts";
import { refuseConnection, refuseTunnel } from "./refuse-connection.ts";

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

/** A client has this long to send its whole head (slow-loris), and an idle connection this long to send another. */
const HEAD_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 65_000;
const MAX_HEAD_BYTES = 64 * 1024;
const SPARE_PORTS = 20;
const DRAIN_MS = 25_000;
/** What waits for a caller that reads slowly before the backend is held back, and what is read ahead of a backend that does. */
const CONNECTION_BYTES = 16 * 1024;

/** Throws a ConfigError where the config or the environment is wrong: a wrong config never serves. */
export async function startNodeServer(options: NodeServerOptions): Promise<NodeServer> {
  const { cwd, log } = options;
  const environment = readEnvironment(cwd);
  // Compiled before anything is opened, so that a wrong config leaves nothing behind.
  const first = await load(options, environment);
  const { redis: upstash, storePrefix: prefix } = environment;
  const stores = await createStores({ upstash, prefix, dataDir: resolve(cwd, environment.dataDir), host: "node", log });
  const overload = new Overload(log);
  const engine = createEngine({
    host: { name: "node", passesContentEncoding: true, trustsContentLength: true, upgrades: true, keepsTime: true },
    stores,
    log,
    load: overload,
    access: { token: environment.adminToken, cronSecret: environment.cronSecret, openOnLoopback: options.openOnLoopback },
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
  const handling = { servePage: options.servePage, log, locate: (ip: string) => locate?.(ip), expectsContinue: false };
  const upgrades = createUpgrades(() => gateway, handling);

  const server = createServer(
    {
      ...upgrades.options,
      highWaterMark: CONNECTION_BYTES,
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: HEAD_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Ends whole uploads after that time, however well they go.
      requestTimeout: 0,
      connectionsCheckingInterval: 5_000,
    },
    (request, response) => handleNodeRequest(request, response, gateway, handling),
  );
  // With a listener, Node leaves it to us to ask for the body: first the request is decided.
  server.on("checkContinue", (request, response) => {
    handleNodeRequest(request, response, gateway, { ...handling, expectsContinue: true });
  });
  server.on("upgrade", upgrades.handle);
  server.on("clientError", refuseConnection);
  server.on("connect", refuseTunnel);
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
      upgrades.close(DRAIN_MS);
      checks?.stop();
      await drain(server);
      overload.close();
      await engine.pools.close();
      await stores.close();
    },
  };
}

type Loaded = Pick<ReturnType<typeof compileConfig>, "config" | "customPolicies">;

async function load({ cwd, file, log }: NodeServerOptions, environment: Environment): Promise<Loaded> {
  const source = await loadConfig(environment, { cwd, file });
  const { config, customPolicies, warnings } = compileConfig(source, { vercel: false, production: environment.production });
  if (warnings.length > 0) log.warn(formatIssues(warnings, source.origin));
  return { config: resolveReferences(config, environment.variables, source.origin), customPolicies };
}

async function createLocate({ cwd, simulatedGeo }: NodeServerOptions, { geoDatabase }: Environment): Promise<Locate | undefined> {
  if (simulatedGeo) return () => simulatedGeo;
  return geoDatabase === undefined ? undefined : openGeoDatabase(resolve(cwd, geoDatabase));
}

/** `close` waits for every connection; those that have nothing more to do are ended as soon as that is so. */
function drain(server: Server): Promise<void> {
  return new Promise((done) => {
    const idle = setInterval(() => server.closeIdleConnections(), 100);
    const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(timer);
      done();
    });
    server.closeIdleConnections();
  });
}
