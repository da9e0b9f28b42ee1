/**
 * A whole gateway without a socket of its own: a config as a user writes it, requests as a host hands them over, answers as they
 * would leave. With `pools` it reaches backends.
 */
import { Readable } from "node:stream";
import type { Pools } from "#lib/backends/pools.ts";
import { compileConfig } from "#lib/compiler/compile.ts";
import { resolveReferences } from "#lib/config/references.ts";
import type { Deps } from "#lib/contract/deps.ts";
import type { Load } from "#lib/contract/load.ts";
import type { RequestRecord } from "#lib/contract/record.ts";
import type { GatewayRequest } from "#lib/contract/request.ts";
import type { Sink } from "#lib/contract/sink.ts";
import type { Stores } from "#lib/contract/stores/stores.ts";
import type { Verdict } from "#lib/gateway/decide.ts";
import { createGateway, type Gateway } from "#lib/gateway/gateway.ts";
import type { Geo } from "#lib/http/geo.ts";
import { HeaderList } from "#lib/http/header-list.ts";
import { POLICIES } from "#lib/policies/index.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { until } from "../support/until.ts";

export interface Sent {
  readonly method?: string;
  readonly target?: string;
  /** Pairs, where one name stands several times. */
  readonly headers?: Readonly<Record<string, string>> | readonly string[];
  readonly ip?: string | undefined;
  readonly geo?: Geo | undefined;
  readonly scheme?: "http" | "https";
  readonly host?: string;
  readonly body?: string;
  /** A caller who goes away: resolves when it has. */
  readonly signal?: AbortSignal;
}

export interface Received {
  readonly status: number;
  readonly headers: HeaderList;
  readonly text: string;
  readonly record: RequestRecord;
  /** `policy: verdict`, in order. */
  readonly steps: readonly string[];
  /** False where the connection was broken off, or the caller went. */
  readonly isWhole: boolean;
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
  readonly info?: Deps["log"]["info"];
  /** Else a warning in the log is let pass. */
  readonly warn?: Deps["log"]["warn"];
  /** Else an error in the log fails the test. */
  readonly error?: Deps["log"]["error"];
  readonly pools?: Pools;
  readonly load?: Load;
  /** The gateway's public origin. */
  readonly url?: string;
  /** Work that outlives a request. */
  readonly defer?: (work: Promise<unknown>) => void;
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
        info: options.info ?? (() => {}),
        warn: options.warn ?? (() => {}),
        error: options.error ?? ((message, fields) => failed(`${message}: ${JSON.stringify(fields)}`)),
      },
      defer: options.defer ?? (() => {}),
    },
    pools: options.pools ?? { poolFor: () => failed("nothing here goes to a backend"), close: async () => {} },
    url: options.url,
    host: { name: "node", passesContentEncoding: true, trustsContentLength: true, upgrades: true, hasTimers: true },
    ...(options.load && { load: options.load }),
    assertions: { byBackend: new Map(), jwks: undefined },
    endpoints: {
      isConsole: () => false,
      admit: () => undefined,
      diagnose: () => undefined,
      answer: () => failed("nothing here asks the engine's own endpoints"),
    },
    onRecord: (record) => records.push(record),
  });
  return {
    gateway,
    async send(sent = {}) {
      const verdict: Verdict = await gateway.decide(requestOf(sent), "whole");
      if (verdict.kind !== "stop" && !(verdict.kind === "execute" && options.pools))
        throw new Error(`expected an answer, got ${verdict.kind}`);
      const answer = await new Promise<Answered>((resolve) => {
        const sink = captureSink(resolve, sent.signal);
        if (verdict.kind === "stop") gateway.send(verdict.ctx, verdict.stop, sink);
        else gateway.execute(verdict.ctx, sink);
      });
      const { requestId } = verdict.ctx;
      const record = await until(() => records.findLast((one) => one.requestId === requestId), "the record");
      return { ...answer, record, steps: record.steps.map(({ policy, verdict: said }) => `${policy}: ${said}`) };
    },
  };
}

type Answered = Pick<Received, "status" | "headers" | "text" | "isWhole">;

function requestOf({
  method = "GET",
  target = "/",
  headers = {},
  ip,
  geo,
  scheme = "http",
  host = "gateway.example",
  body,
}: Sent): GatewayRequest {
  const length = body === undefined ? [] : ["content-length", String(Buffer.byteLength(body))];
  const fields = ["host", host, ...length, ...(Array.isArray(headers) ? headers : Object.entries(headers).flat())];
  return {
    method,
    target,
    scheme,
    host,
    httpVersion: "1.1",
    headers: new HeaderList(fields),
    body: body === undefined ? null : Readable.from([Buffer.from(body)]),
    client: { ip, geo },
  };
}

function captureSink(resolve: (answer: Answered) => void, signal: AbortSignal | undefined): Sink {
  let status = 0;
  let headers = new HeaderList();
  let onClose: (complete: boolean) => void = () => {};
  const chunks: Uint8Array[] = [];
  const close = (isWhole: boolean) => {
    if (sink.closed) return;
    Object.assign(sink, { closed: true });
    onClose(isWhole);
    resolve({ status, headers, text: Buffer.concat(chunks).toString("utf8"), isWhole });
  };
  const sink: Sink = {
    head(code, _, pairs) {
      status = code;
      headers = new HeaderList(pairs);
    },
    flush: () => {},
    write(chunk) {
      chunks.push(chunk);
      return true;
    },
    end(chunk) {
      if (chunk !== undefined) chunks.push(Buffer.from(chunk));
      close(true);
    },
    destroy: () => close(false),
    onDrain: undefined,
    set onClose(listener: (complete: boolean) => void) {
      onClose = listener;
    },
    closed: false,
  };
  signal?.addEventListener("abort", () => close(false));
  return sink;
}

function failed(why: string): never {
  throw new Error(why);
}
