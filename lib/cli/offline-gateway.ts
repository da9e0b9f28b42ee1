/** The engine as the hosts run it, with nothing behind it: stores in memory, and connections that are never made. */
import { randomBytes } from "node:crypto";
import { Socket } from "node:net";
import type { CustomPolicies } from "../compiler/custom-policies.ts";
import type { Environment } from "../config/env.ts";
import type { CompiledConfig } from "../contract/compiled/config.ts";
import type { Log } from "../contract/deps.ts";
import { unavailable } from "../contract/stores/reply.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { createEngine } from "../hosts/runtime.ts";
import { createMemoryStores, type MemoryStores } from "../stores/memory/memory-stores.ts";
import { Outlet } from "./dry-run-dispatcher.ts";

export interface OfflineGateway {
  readonly gateway: Gateway;
  /** Where requests to backends end. */
  readonly outlet: Outlet;
  /** Warnings and errors that the engine and its policies have logged. */
  readonly logged: readonly string[];
  /** What would have been asked about a credential: an issuer, a service, the store of API keys. */
  readonly unasked: ReadonlySet<string>;
}

export function createOfflineGateway(
  config: CompiledConfig,
  customPolicies: CustomPolicies,
  environment: Environment,
): OfflineGateway {
  forbidConnections();
  const outlet = new Outlet();
  const logged: string[] = [];
  const unasked = new Set<string>();
  const engine = createEngine({
    host: { name: "node", passesContentEncoding: true, trustsContentLength: true, upgrades: true, hasTimers: true },
    stores: withoutKeys(unasked),
    log: collect(logged),
    access: { token: environment.adminToken, openOnLoopback: false },
    pools: outlet,
    call({ url }) {
      unasked.add(new URL(url).origin);
      return Promise.reject(new Error("frontdesk explains offline: nothing is asked"));
    },
    defer: () => {},
  });
  // What is explained stands in a terminal, perhaps in a ticket: assertions there are signed by a key that nobody believes.
  const hasSecret = environment.secrets.length > 0 || environment.adminToken !== undefined;
  const unbelieved = { ...environment, secrets: hasSecret ? [randomBytes(32)] : [] };
  return { gateway: engine.load(config, customPolicies, unbelieved), outlet, logged, unasked };
}

/** An empty store would say that no key exists. */
function withoutKeys(unasked: Set<string>): MemoryStores {
  const stores = createMemoryStores();
  stores.keys.get = () => {
    unasked.add("the store of API keys");
    return unavailable("refused");
  };
  return stores;
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
