/** The Node host in this process, in front of backends that fail as the test says: for what a flow can't arrange or look into. */
import type { AddressInfo } from "node:net";
import { afterAll, beforeEach } from "vitest";
import { createOutbound } from "#lib/backends/outbound.ts";
import { createPools } from "#lib/backends/pools.ts";
import { createTargetStates } from "#lib/backends/target-state.ts";
import { compileConfig } from "#lib/compiler/compile.ts";
import { resolveReferences } from "#lib/config/references.ts";
import type { RequestRecord } from "#lib/contract/record.ts";
import { createGateway, type Gateway } from "#lib/gateway/gateway.ts";
import { createHttpServer } from "#lib/hosts/node/http-server.ts";
import { POLICIES } from "#lib/policies/index.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { startBackend } from "../support/backend.ts";
import { type RawAnswer, type RawRequest, sendRaw } from "../support/raw-client.ts";
import { until } from "../support/until.ts";

export interface TrafficHost {
  readonly port: number;
  readonly gateway: Gateway;
  readonly records: RequestRecord[];
  /** What the clock says that circuits and budgets go by: it stands still but where a test turns it. */
  nowMs: number;
  send(request: RawRequest | string): Promise<RawAnswer & { text: string; record: RequestRecord }>;
  close(): void;
}

export interface TrafficConfig {
  readonly backends: object;
  readonly routes: readonly object[];
  readonly defaults?: object;
}

/** For all tests of a file: two backends, one that is gone, and a host in front. What reached them is forgotten before each test. */
export async function trafficForAll(configOf: (urls: Record<"one" | "two" | "gone", string>) => TrafficConfig) {
  const [one, two, gone] = await Promise.all([startBackend(), startBackend(), startBackend()]);
  gone.close();
  const host = await startTrafficHost(configOf({ one: one.url, two: two.url, gone: gone.url }));
  beforeEach(() => {
    for (const { requests } of [one, two]) requests.length = 0;
  });
  afterAll(() => {
    for (const each of [host, one, two]) each.close();
  });
  return { one, two, host };
}

export async function startTrafficHost(config: TrafficConfig): Promise<TrafficHost> {
  const source = { value: { defaults: { auth: "none" }, ...config }, origin: "test", locate: () => undefined };
  const { config: compiled, customPolicies } = compileConfig(source, { vercel: false });
  const records: RequestRecord[] = [];
  const log = { info() {}, warn() {}, error: (message: string) => console.error(message) };
  const pools = createPools();
  const host = { nowMs: 1_800_000_000_000 };
  const gateway = createGateway({
    config: resolveReferences(compiled, {}),
    policies: POLICIES,
    customPolicies,
    deps: {
      clock: { now: () => host.nowMs, monotonic: () => performance.now() },
      random: (bytes) => new Uint8Array(bytes).fill(7),
      stores: createMemoryStores(),
      log,
      call: createOutbound(pools, Date.now),
      defer: () => {},
    },
    pools,
    host: { name: "node", passesContentEncoding: true, trustsContentLength: true, upgrades: true, hasTimers: true },
    endpoints: {
      isConsole: () => false,
      admit: () => undefined,
      diagnose: () => undefined,
      answer: () => ({ code: "route-not-found" }),
    },
    assertions: { byBackend: new Map(), jwks: undefined },
    targetStates: createTargetStates(),
    onRecord: (record) => records.push(record),
  });
  const { server } = createHttpServer(() => gateway, { servePage: () => {}, log, locate: () => undefined });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(host, {
    port,
    gateway,
    records,
    async send(request: RawRequest | string) {
      const before = records.length;
      const answer = await sendRaw(port, typeof request === "string" ? { target: request } : request);
      const record = await until(() => records[before], "the record of the request");
      return { ...answer, text: answer.body.toString("utf8"), record };
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  });
}
