/** Floods of requests with some 58 KB of text each that nobody has sent before: what is remembered of them has to be bounded in bytes. */
import { Agent, request as httpRequest } from "node:http";
import { forgetPeak, peakResidentMb } from "./process-memory.ts";
import type { LoadSetup } from "./scenarios.ts";

interface FloodRequest {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request of the flood: `text` makes so many bytes that no other request has. */
type Flood = (text: (bytes: number) => string) => FloodRequest;

/** Close to what the host reads of one head. */
const BYTES = 58_000;
const CONNECTIONS = 8;

/** By what the gateway could remember of them, with the routes of `floodConfig`. */
const FLOODS = {
  "field names": (text) => ({ path: "/plain", headers: { [`x-${text(BYTES)}`]: "1" } }),
  "field names on a cached route": (text) => ({ path: "/cached", headers: { [`x-${text(BYTES)}`]: "1" } }),
  "field values": (text) => ({ path: "/plain", headers: { "x-value": text(BYTES) } }),
  "unknown paths": (text) => ({ path: `/unknown/${text(BYTES)}` }),
  "long paths": (text) => ({ path: `/plain/${text(BYTES)}` }),
  "cache keys of answers that are not stored": (text) => ({ path: `/cached/no-store?n=${text(BYTES)}` }),
  "cached answers": (text) => ({ path: `/cached/x?n=${text(BYTES)}` }),
  "cached paths": (text) => ({ path: `/cached/${text(BYTES)}` }),
  "cached paths with a query that does not count": (text) => ({ path: `/dropped/${text(20)}?n=${text(BYTES)}` }),
  "cached variants": (text) => ({ path: "/varied/x", headers: { "x-tenant": text(BYTES) } }),
  "cache tags": (text) => ({ path: `/tagged/${text(20)}?tag=${text(BYTES)}` }),
  "counters by field": (text) => ({ path: "/by-field", headers: { "x-key": text(BYTES) } }),
  "counters by parameter": (text) => ({ path: `/by-parameter/${text(20)}?n=${text(BYTES)}` }),
  "idempotency keys": (text) => ({
    path: `/idempotent?n=${text(BYTES)}`,
    method: "POST",
    headers: { "idempotency-key": text(200) },
    body: "{}",
  }),
  "wrong tokens": (text) => ({ path: "/token", headers: { authorization: `Bearer ${wrongToken(text(BYTES / 2))}` } }),
  "wrong API keys": (text) => ({ path: "/key", headers: { "x-api-key": `fd_${text(BYTES)}` } }),
  "wrong passwords": (text) => ({ path: "/password", headers: { authorization: `Basic ${btoa(`ada:${text(BYTES / 2)}`)}` } }),
  "credentials for another service": (text) => ({ path: "/asked", headers: { authorization: `Bearer ${text(BYTES)}` } }),
  "admin tokens": (text) => ({ path: "/gateway/api/v1/overview", headers: { authorization: `Bearer ${text(BYTES)}` } }),
  hosts: (text) => ({ path: `/plain?n=${text(BYTES)}`, headers: { host: `${text(50)}.${text(50)}.example` } }),
  "traces and request ids": (text) => ({
    path: "/plain",
    headers: { "x-request-id": text(BYTES / 3), traceparent: text(BYTES / 3), tracestate: text(BYTES / 3) },
  }),
  "WebSocket handshakes": (text) => ({
    path: `/plain/socket?n=${text(BYTES)}`,
    headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": btoa(text(16)) },
  }),
} as const satisfies Record<string, Flood>;

export type FloodName = keyof typeof FLOODS;
export const FLOOD_NAMES = Object.keys(FLOODS) as readonly FloodName[];

/** Floods whose text is kept on purpose, up to the bounds of the cache. */
export const KEPT_FLOODS: ReadonlySet<FloodName> = new Set(["cached answers", "cached paths"]);

export const FLOOD_VARIABLES = { FLOOD_SECRET: "s".repeat(32), FLOOD_PASSWORD: "correct horse battery staple" };

/** The backend answers `no-store` where the path says so, and 401 below `/auth`. */
export const floodConfig = (backend: string) => ({
  backends: { load: { url: backend, timeout: { connect: "20s" } } },
  auth: {
    tokens: { jwt: { issuer: "https://issuer.example", secret: "${env.FLOOD_SECRET}", audience: "flood" } },
    keys: { apiKey: {} },
    passwords: { basic: { users: { ada: "${env.FLOOD_PASSWORD}" } } },
    asked: { forward: { url: `${backend}/auth`, cache: "1m" } },
  },
  defaults: { auth: "none" },
  routes: [
    { path: "/plain/*" },
    { path: "/cached/*", cache: { ttl: "1m" } },
    { path: "/dropped/*", cache: { ttl: "1m", query: { drop: ["n"] } } },
    { path: "/varied/*", cache: { ttl: "1m", vary: ["x-tenant"] } },
    { path: "/tagged/*", cache: { ttl: "1m", query: { drop: ["tag"] }, tags: ["t:${query.tag}"] } },
    { path: "/by-field", limit: { requests: 1000, per: "1h", by: "header:x-key" } },
    { path: "/by-parameter/:id", limit: { requests: 1000, per: "1h", by: "param:id" } },
    { path: "/idempotent", idempotency: { anonymous: true } },
    { path: "/token", auth: "tokens" },
    { path: "/key", auth: "keys" },
    { path: "/password", auth: "passwords" },
    { path: "/asked", auth: "asked" },
  ].map((route) => ({ backend: "load", ...route })),
});

/** As an issuer would have written it, but for the signature. */
function wrongToken(text: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "HS256" })}.${part({ iss: "https://issuer.example", aud: "flood", sub: text })}.${"A".repeat(43)}`;
}

export interface Flooded {
  readonly peakMb: number;
  /** How many answers had which status. */
  readonly statuses: Readonly<Record<number, number>>;
}

let sent = 0;

export async function flood({ gateway }: Pick<LoadSetup, "gateway">, name: FloodName, count: number): Promise<Flooded> {
  forgetPeak(gateway.pid);
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const statuses: Record<number, number> = {};
  let left = count;
  const send = async () => {
    while (left-- > 0) {
      const number = String(++sent);
      const status = await ask(
        gateway.port,
        FLOODS[name]((bytes) => number.padEnd(bytes, "n")),
        agent,
      );
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, send));
  agent.destroy();
  return { peakMb: peakResidentMb(gateway.pid), statuses };
}

function ask(port: number, { path, method = "GET", headers = {}, body }: FloodRequest, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, path, method, headers, agent }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode!));
    });
    request.once("error", reject).end(body);
  });
}
