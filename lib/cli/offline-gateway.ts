/** The engine as the hosts run it, with nothing behind it: stores in memory, and connections that are never made. */
import { randomBytes } from "node:crypto";
import { Socket } from "node:net";
import { createEndpoints } from "../admin/endpoints.ts";
import { describeBackends, describeRoutes } from "../admin/overview.ts";
import type { CompiledConfig } from "../config/compiled.ts";
import type { CustomPolicies } from "../config/custom-policies.ts";
import type { Environment } from "../config/env.ts";
import { createGateway, type Gateway } from "../gateway.ts";
import { POLICIES } from "../policies/index.ts";
import type { Log } from "../policy.ts";
import { createMemoryStores } from "../stores/memory/memory-stores.ts";
import { VERSION } from "../version.ts";
import { Outlet } from "./outlet.ts";

export interface OfflineGateway {
  readonly gateway: Gateway;
  /** Where requests to backends end. */
  readonly outlet: Outlet;
  /** Warnings and errors that the engine and its policies have logged. */
  readonly logged: readonly string[];
}

export function createOfflineGateway(
  config: CompiledConfig,
  customPolicies: CustomPolicies,
  environment: Environment,
): OfflineGateway {
  forbidConnections();
  const outlet = new Outlet();
  const logged: string[] = [];
  const stores = createMemoryStores();
  const overview = () => ({
    version: VERSION,
    host: "offline",
    digest: config.digest,
    loadedAt: new Date().toISOString(),
    stores: stores.describe,
    backends: describeBackends(gateway),
    routes: describeRoutes(gateway),
    recent: [],
    unopenedPlans: 0,
  });
  const gateway = createGateway({
    config,
    policies: POLICIES,
    customPolicies,
    deps: {
      clock: { now: Date.now, monotonic: () => performance.now() },
      random: (bytes) => new Uint8Array(randomBytes(bytes)),
      stores,
      call: () => Promise.reject(new Error("frontdesk explains offline: nothing is asked")),
      log: collect(logged),
      defer: (promise) => void promise.catch((error: unknown) => logged.push(`deferred work failed: ${String(error)}`)),
    },
    pools: outlet,
    host: { name: "node", passesContentEncoding: true, trustsContentLength: true, upgrades: true },
    endpoints: createEndpoints({ access: { token: environment.adminToken, openOnLoopback: false }, overview }),
  });
  return { gateway, outlet, logged };
}

/** A custom policy may call others by itself; while a request is only explained, that fails. */
function forbidConnections(): void {
  Socket.prototype.connect = () => {
    throw new Error("frontdesk explains offline: nothing is sent");
  };
}

function collect(lines: string[]): Log {
  const add = (message: string, { policy, error }: Record<string, unknown> = {}) =>
    lines.push(
      [message, policy, error === undefined ? undefined : String(error).split("\n", 1)[0]]
        .filter((part) => part !== undefined)
        .join(": "),
    );
  return { info: () => {}, warn: add, error: add };
}
