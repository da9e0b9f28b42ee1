/** A gateway with a cache in front of a real backend, with a clock that stands until it is moved. */
import { afterAll, beforeAll, beforeEach } from "vitest";
import { createPools } from "#lib/backends/pools.ts";
import type { Stores } from "#lib/contract/stores/stores.ts";
import { gatewayOf, type Received, type Sent, type TestGateway } from "../policies/gateway.ts";
import { type Backend, type ReceivedRequest, startBackend } from "../support/backend.ts";

type Fields =
  | Readonly<Record<string, string | string[]>>
  | ((received: ReceivedRequest) => Readonly<Record<string, string | string[]>>);

export interface CachedBackend {
  readonly backend: Backend;
  /** What the backend answers a path with: the same each time but for a count, dated by the tests' clock. */
  answer(path: string, fields?: Fields, more?: { readonly status?: number; readonly body?: string }): void;
  /** Epoch milliseconds; the tests' to move. */
  nowMs: number;
  /** What outlives a request, such as a refresh. */
  readonly deferred: Promise<unknown>[];
  /** A gateway anew, with nothing stored. Routes go to the backend where they do not say otherwise. */
  gateway(routes: readonly object[], options?: { readonly stores?: Stores; readonly config?: object }): TestGateway;
  /** One route for everything, with this cache; sends `GET /` or what is given. */
  route(cache: unknown, more?: object): (sent?: Sent | string) => Promise<Received>;
}

/** A year in which no date of a test is in the future by mistake. */
const NOW_MS = Date.UTC(2030, 0, 2, 3, 4, 5);

export function cachedBackend(): CachedBackend {
  const pools = createPools();
  let backend: Backend;
  beforeAll(async () => {
    backend = await startBackend();
  });
  beforeEach(() => {
    backend.requests.length = 0;
    cached.nowMs = NOW_MS;
    cached.deferred.length = 0;
  });
  afterAll(async () => {
    backend.close();
    await pools.close();
  });
  const cached: CachedBackend = {
    get backend() {
      return backend;
    },
    answer(path, fields = {}, { status = 200, body } = {}) {
      let count = 0;
      backend.on(path, (received, response) => {
        count += 1;
        const own = typeof fields === "function" ? fields(received) : fields;
        const text = body ?? `answer ${count}`;
        const length = status === 304 || status === 204 ? {} : { "content-length": String(Buffer.byteLength(text)) };
        response.writeHead(status, { date: new Date(cached.nowMs).toUTCString(), ...length, ...own });
        response.end(status === 304 || received.method === "HEAD" ? undefined : text);
      });
    },
    nowMs: NOW_MS,
    deferred: [],
    gateway(routes, { stores, config } = {}) {
      const value = {
        backends: { shop: backend.url },
        ...config,
        routes: routes.map((route) => ({ backend: "shop", ...route })),
      };
      const defer = (work: Promise<unknown>) => cached.deferred.push(work);
      return gatewayOf(value, { pools, now: () => cached.nowMs, defer, ...(stores && { stores }) });
    },
    route(cache, more) {
      const { send } = cached.gateway([{ path: "/*", cache, ...more }]);
      return (sent = {}) => send(typeof sent === "string" ? { target: sent } : sent);
    },
  };
  return cached;
}

/** The member of Cache-Status that is the gateway's, without its name. */
export function saidBy({ headers }: Received): string {
  const own = headers.all("cache-status").find((value) => value.startsWith("frontdesk"));
  return own?.replace(/^frontdesk;? ?/, "") ?? "none";
}
