/** The config that is fuzzed: every setting that touches a request or an answer, with time-outs short enough to wait for. */
import { defineGateway, env } from "#frontdesk";
import customPolicyFlow from "../flows/custom-policies/gateway.config.ts";

/** The test build of the Vercel shape knows the custom policies of that flow and no others. */
const policiesOf = (path: string) => {
  const route = customPolicyFlow.routes.find((candidate) => candidate.path === path);
  return route && "use" in route ? { use: [...route.use] } : {};
};

const timeout = {
  connect: "500ms",
  firstByte: "400ms",
  idle: "400ms",
  total: "1500ms",
  body: { rate: "20kb/s", grace: "300ms" },
};

export default defineGateway({
  backends: {
    odd: { url: env("ODD_URL"), timeout },
    pair: {
      targets: [env("ODD_URL"), env("ODD_TOO_URL")],
      timeout,
      retry: { attempts: 3, on: ["connect", 502, 503] },
      breaker: { requests: 5, open: "100ms" },
      bulkhead: { requests: 20, queue: 5, wait: "50ms" },
      slowStart: false,
    },
    calm: { url: env("CALM_URL"), timeout: { connect: "10s", firstByte: "10s", idle: "none", total: "none" } },
    // Of its own: a lenient guard would open the stricter routes of the same server.
    apart: { url: env("APART_URL"), timeout },
    nobody: "http://127.0.0.1:1",
  },
  auth: {
    people: { basic: { users: { ada: env("ADA_PASSWORD") } } },
    tokens: { jwt: { secret: env("JWT_SECRET"), audience: "fuzz" } },
    keys: { apiKey: { prefix: "fuzz", query: "key" } },
  },
  trust: { proxies: ["127.0.0.1"], geo: "cloudflare" },
  defaults: { auth: "none", timeout, maxBody: "64kb" },
  routes: [
    { path: "/*", backend: "odd" },
    { path: "/calm/*", backend: "calm" },
    { path: "/pair/*", backend: "pair" },
    { path: "/down/*", backend: "nobody", fallback: { status: 203, json: { fallback: true } } },
    { path: "/spare/*", backend: "odd", fallback: { backend: "calm" } },
    { path: "/mirror/*", backend: "calm", mirror: { backend: "odd", maxBody: "4kb" } },
    { path: "/people/*", backend: "odd", auth: "people", idempotency: { ttl: "2s" } },
    { path: "/any/*", backend: "odd", auth: { optional: ["tokens", "keys"] } },
    {
      path: "/tokens/:id",
      backend: "odd",
      auth: ["tokens", "people"],
      headers: { request: { set: { "x-id": "${params.id}" } } },
    },
    { path: "/once/*", backend: "odd", idempotency: { anonymous: true, ttl: "2s", maxBody: "2kb" } },
    {
      path: "/cached/*",
      backend: "odd",
      cache: { ttl: "1s", staleIfError: "5s", vary: "x-variant", tags: "all", query: { drop: "utm", sort: true } },
    },
    { path: "/cached/always/*", backend: "pair", cache: { ttl: "1s", override: true, staleWhileRevalidate: "1s" } },
    { path: "/limited/*", backend: "odd", limit: { requests: 50, per: "1s", by: "ip" } },
    { path: "/few/*", backend: "odd", limit: { requests: 3, algorithm: "concurrency", by: "ip" } },
    { path: "/stream/*", backend: "odd", heartbeat: "50ms" },
    { path: "/raw/*", backend: "apart", guard: "lenient" },
    { path: "/slash/*", backend: "apart", encodedSlash: "keep" },
    { path: "/rewrite/*", backend: "odd", rewrite: "/r/${query.name}/${request.headers.x-seg}" },
    {
      path: "/fields/*",
      backend: "odd",
      headers: {
        request: {
          set: { "x-name": "${query.name}", "x-seg": "${request.headers.x-seg}", "x-country": "${geo.country}" },
          remove: "x-gone",
        },
        response: { set: { "x-told": "${query.name}" }, append: { "set-cookie": "seen=1" }, remove: "server" },
      },
      securityHeaders: true,
      deprecated: { since: "2026-01-01" },
    },
    {
      path: "/pages/*",
      backend: "odd",
      cors: { origins: "https://app.example", credentials: true },
      origin: { allow: "https://app.example" },
    },
    {
      path: "/screened/*",
      backend: "odd",
      ip: { deny: "203.0.113.0/24" },
      geo: { deny: "KP" },
      size: { url: "200b", queryKeys: 3 },
      userAgent: { deny: "*bot*" },
    },
    { path: "/closed/*", backend: "odd", maintenance: { allow: { headers: { "x-open": "sesame" } } } },
    { path: "/when/*", backend: "odd", when: { headers: { "x-variant": "b" }, query: { on: true } } },
    { path: "/host/*", host: "*.fuzz.example", backend: "odd" },
    { path: "/methods/*", methods: ["GET", "PUT"], backend: "odd", byMethod: { PUT: { maxBody: "1kb", limit: "100/s" } } },
    { path: "/small/*", backend: "odd", maxBody: env("SMALL_BODY") },
    { path: "/delayed/*", backend: "odd", fault: { delay: "20ms", abort: 418, percent: "50%" } },
    { path: "/policies/:name", backend: "odd", ...policiesOf("/greet/:name") },
    { path: "/checked/*", backend: "odd", ...policiesOf("/checked") },
    { path: "/shout/*", backend: "odd", ...policiesOf("/shout") },
    { path: "/own", respond: { status: 200, body: "own" } },
    { path: "/moved/*", redirect: { to: "/new/${params.rest}?from=${query.name}", keepQuery: true } },
  ],
});
