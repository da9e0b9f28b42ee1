/** A whole gateway without a socket: a config as a user writes it, requests as a host hands them over, answers as they would leave. */
import { compileConfig } from "#lib/config/compile.ts";
import { resolveReferences } from "#lib/config/references.ts";
import type { GatewayRequest } from "#lib/exchange.ts";
import { createGateway, type Gateway, type Verdict } from "#lib/gateway.ts";
import { HeaderList } from "#lib/http/header-list.ts";
import type { RequestRecord } from "#lib/observe/record.ts";
import { POLICIES } from "#lib/policies/index.ts";
import type { Deps } from "#lib/policy.ts";
import type { Sink } from "#lib/sink.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import type { Stores } from "#lib/stores/stores.ts";

export interface Sent {
  readonly method?: string;
  readonly target?: string;
  /** Pairs, where one name stands several times. */
  readonly headers?: Readonly<Record<string, string>> | readonly string[];
  readonly ip?: string | undefined;
  readonly scheme?: "http" | "https";
}

export interface Received {
  readonly status: number;
  readonly headers: HeaderList;
  readonly text: string;
  readonly record: RequestRecord;
  /** `policy: verdict`, in order. */
  readonly steps: readonly string[];
}

export interface TestGateway {
  readonly gateway: Gateway;
  send(sent?: Sent): Promise<Received>;
}

export interface TestGatewayOptions {
  readonly variables?: Readonly<Record<string, string>>;
  readonly stores?: Stores;
  readonly now?: () => number;
  readonly call?: Deps["call"];
  /** Else a warning in the log is let pass. */
  readonly warn?: Deps["log"]["warn"];
}

/** `auth: "none"` and an empty answer are put in where a route does not say, so that a test says only what it is about. */
export function gatewayOf(config: Readonly<Record<string, unknown>>, options: TestGatewayOptions = {}): TestGateway {
  const routes = (config["routes"] as object[]).map((route) =>
    ["backend", "respond", "redirect"].some((key) => key in route) ? route : { ...route, respond: { body: "served" } },
  );
  const value = { ...config, defaults: { auth: "none", ...(config["defaults"] as object | undefined) }, routes };
  const source = { value, origin: "test", locate: () => undefined };
  const { config: compiled, customPolicies } = compileConfig(source, { vercel: false });
  const records: RequestRecord[] = [];
  const gateway = createGateway({
    config: resolveReferences(compiled, options.variables ?? {}),
    policies: POLICIES,
    customPolicies,
    deps: {
      clock: { now: options.now ?? (() => 0), monotonic: () => 0 },
      random: (bytes) => new Uint8Array(bytes),
      stores: options.stores ?? createMemoryStores(),
      call: options.call ?? (() => failed("nothing here calls another service")),
      log: {
        info: () => {},
        warn: options.warn ?? (() => {}),
        error: (message, fields) => {
          throw new Error(`${message}: ${JSON.stringify(fields)}`);
        },
      },
      defer: () => {},
    },
    pools: { poolFor: () => failed("nothing here goes to a backend"), close: async () => {} },
    host: { name: "node", passesContentEncoding: true, trustsContentLength: true, upgrades: true },
    assertions: { byBackend: new Map(), jwks: undefined },
    endpoints: {
      isConsole: () => false,
      admit: () => undefined,
      answer: () => failed("nothing here asks the engine's own endpoints"),
    },
    onRecord: (record) => records.push(record),
  });
  return {
    gateway,
    async send(sent = {}) {
      const verdict: Verdict = await gateway.decide(requestOf(sent), "whole");
      if (verdict.kind !== "stop") throw new Error(`expected an answer, got ${verdict.kind}`);
      const { status, headers, text } = await new Promise<Pick<Received, "status" | "headers" | "text">>((resolve) =>
        gateway.send(verdict.visit, verdict.stop, captureSink(resolve)),
      );
      const record = records.at(-1)!;
      return { status, headers, text, record, steps: record.steps.map(({ policy, verdict: said }) => `${policy}: ${said}`) };
    },
  };
}

function requestOf({ method = "GET", target = "/", headers = {}, ip, scheme = "http" }: Sent): GatewayRequest {
  const fields = ["host", "gateway.example", ...(Array.isArray(headers) ? headers : Object.entries(headers).flat())];
  return {
    method,
    target,
    scheme,
    host: "gateway.example",
    httpVersion: "1.1",
    headers: new HeaderList(fields),
    body: null,
    client: { ip, geo: undefined },
  };
}

function captureSink(resolve: (answer: Pick<Received, "status" | "headers" | "text">) => void): Sink {
  let status = 0;
  let headers = new HeaderList();
  let onClose: (complete: boolean) => void = () => {};
  return {
    head(code, _, pairs) {
      status = code;
      headers = new HeaderList(pairs);
    },
    flush: () => {},
    write: () => failed("an answer of the gateway's own is written at once"),
    end(chunk) {
      onClose(true);
      resolve({ status, headers, text: chunk === undefined ? "" : Buffer.from(chunk).toString("utf8") });
    },
    destroy: () => failed("nothing here breaks a connection"),
    onDrain: undefined,
    set onClose(listener: (complete: boolean) => void) {
      onClose = listener;
    },
    closed: false,
  };
}

function failed(why: string): never {
  throw new Error(why);
}
