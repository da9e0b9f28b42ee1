/** The two halves on Vercel; the back half alone, as somebody who found a way round the front half would reach it: no plan opens but the request's own. */
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { definePolicy } from "#frontdesk";
import { compileConfig } from "#lib/compiler/compile.ts";
import type { CompiledConfig } from "#lib/contract/compiled/config.ts";
import type { GatewayRequest } from "#lib/contract/request.ts";
import { deriveKeys } from "#lib/crypto/derive-keys.ts";
import { PLAN_HEADER, type PlanContext, sealPlan } from "#lib/engine/plan.ts";
import { type Backend, startBackend } from "../support/backend.ts";
import { requestFor } from "../support/exchange.ts";
import { ADMIN_TOKEN } from "../support/host-process.ts";
import { until } from "../support/until.ts";

const SECRET = new Uint8Array(32).fill(7);
const IP = "203.0.113.9";
const HOST = "gateway.example";
const FRONTEND_SECRET = "frontend-0123456789-0123456789-0123456789";
/** It can't decide before the whole body is there, so that the back half decides. */
const wholeBody = definePolicy({
  name: "whole-body",
  create: () => ({ requestBody: { mode: "buffer", maxBytes: 100 }, decide: () => undefined }),
});

let backend: Backend;
let config: CompiledConfig;
let halves: typeof import("#lib/hosts/vercel/halves.ts");
let now: number;

beforeAll(async () => {
  backend = await startBackend();
  const value = {
    backends: { shop: backend.url },
    routes: [
      { path: "/open/*", backend: "shop", auth: "none" },
      { path: "/get-only", methods: "GET", backend: "shop", auth: "none" },
      { path: "/whole", backend: "shop", auth: "none", use: wholeBody },
    ],
    trust: { frontends: { secret: "${env.FRONTEND_SECRET}" } },
  };
  const compiled = compileConfig({ value, origin: "test", locate: () => undefined }, { vercel: true });
  ({ config } = compiled);
  vi.stubEnv("FRONTEND_SECRET", FRONTEND_SECRET);
  vi.stubEnv("VERCEL", "1");
  vi.stubEnv("GATEWAY_SECRET", Buffer.from(SECRET).toString("base64url"));
  vi.stubEnv("GATEWAY_ADMIN_TOKEN", ADMIN_TOKEN);
  vi.doMock("#compiled", () => ({ artifact: config, customPolicies: compiled.customPolicies }));
  halves = await import("#lib/hosts/vercel/halves.ts");
});
afterAll(() => {
  vi.unstubAllEnvs();
  backend.close();
});
beforeEach(() => {
  now = Date.now();
});

interface Sent {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Record<string, string>;
}

/** A request as it reaches the back half on Vercel. */
function sent({ method = "GET", target = "/open/a", headers = {} }: Sent, plan?: string): Request {
  const fields = { host: HOST, "x-real-ip": IP, ...headers, ...(plan === undefined ? {} : { [PLAN_HEADER]: plan }) };
  return new Request(`https://${HOST}${target}`, { method, headers: fields });
}

/** Sealed as the front half does, and saying what it never would: that would show at the backend if the plan were believed. */
function sealedFor(
  parts: Partial<GatewayRequest> = {},
  { secret = SECRET, digest = config.digest, at = now, headers = [] as string[] } = {},
): string {
  const request = { ...requestFor({ target: "/open/a", ip: IP, headers }), host: HOST, ...parts };
  const plan = {
    route: "/open/*",
    target: request.target,
    consumer: { id: "web:root", authenticator: "web" },
    state: {},
    requestId: "r",
    traceparent: "t",
    startedAt: at,
    steps: [],
  };
  return sealPlan(plan, request, contextOf(secret, digest), at)!;
}

function contextOf(secret: Uint8Array, configDigest: string): PlanContext {
  const credentialFields = new Set(["authorization", "cookie", "proxy-authorization", "x-api-key"]);
  return { configDigest, credentialFields, keys: deriveKeys([secret], "plan") };
}

async function unopenedPlans(): Promise<number> {
  const answer = await halves.back(
    sent({ target: "/gateway/health", headers: { authorization: `Bearer ${ADMIN_TOKEN}` } }),
    () => {},
  );
  return ((await answer.json()) as { unopenedPlans: number }).unopenedPlans;
}

/** What the backend was told about the consumer: `web:root` where the plan was believed. */
async function consumerAt(request: Request): Promise<string | undefined> {
  const answer = await halves.back(request, () => {});
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
  return backend.requests.at(-1)!.headers.get("x-gateway-consumer");
}

// First of all: the work of an interval is handed to the platform once.
test("a request that ends outside of its scope, where the platform takes no more work, is answered all the same", async () => {
  let asked = 0;
  const outside = () => {
    asked++;
    throw new Error("`after` was called outside a request scope");
  };
  const answer = await halves.back(sent({ target: "/open/a" }), outside);
  expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
  await until(() => asked > 0, "work for the platform");
});

test("the request's own plan opens, and is not decided again", async () => {
  const before = await unopenedPlans();
  expect(await consumerAt(sent({}, sealedFor()))).toBe("web:root");
  expect(await unopenedPlans()).toBe(before);
});

test("what the front half seals, the back half opens", async () => {
  const before = await unopenedPlans();
  for (const target of ["/open/a", "/open/a?b", "/open/?a[]=1&a=%zz", "/open/%C3%BC%20x"]) {
    const request = sent({ target, headers: { cookie: "a=1; b=2", authorization: "Bearer x", "x-api-key": "k" } });
    const verdict = await halves.front(request, () => {});
    if (!("requestHeaders" in verdict)) throw new Error("the front half answered itself");
    expect(verdict.requestHeaders.get(PLAN_HEADER)).toMatch(/^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/);
    expect((await halves.back(new Request(request.url, { headers: verdict.requestHeaders }), () => {})).status).toBe(200);
  }
  expect(await unopenedPlans()).toBe(before);
});

describe("a caller whom a frontend states", () => {
  const stated = (target: string, method = "GET") => {
    const payload = Buffer.from(JSON.stringify({ ip: "192.0.2.7", t: Date.now() / 1000 })).toString("base64url");
    const signature = createHmac("sha256", FRONTEND_SECRET).update(`${payload}\n${method} ${target}`).digest("base64url");
    return { "x-gateway-client": `${payload}.${signature}` };
  };
  const through = async (request: Request, wait: () => void) => {
    const before = await unopenedPlans();
    const verdict = await halves.front(request, () => {});
    if (!("requestHeaders" in verdict)) throw new Error("the front half answered itself");
    expect(verdict.requestHeaders.has("x-gateway-client")).toBe(false);
    wait();
    // The platform keeps bodies out of the front half.
    const body = request.method === "POST" ? { body: "body" } : {};
    const arrived = new Request(request.url, { method: request.method, headers: verdict.requestHeaders, ...body });
    expect((await halves.back(arrived, () => {})).status).toBe(200);
    expect(await unopenedPlans()).toBe(before);
    return backend.requests.at(-1)!.headers.get("x-forwarded-for");
  };

  test("is told to the back half in the plan, which is bound to the platform's own word", async () => {
    expect(await through(sent({ headers: stated("/open/a") }), () => {})).toBe("192.0.2.7");
  });

  test("also where the back half decides, after a body that took longer than the frontend's word holds", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const headers = { "content-length": "4", ...stated("/whole", "POST") };
      const request = sent({ method: "POST", target: "/whole", headers });
      expect(await through(request, () => vi.setSystemTime(Date.now() + 120_000))).toBe("192.0.2.7");
    } finally {
      vi.useRealTimers();
    }
  });

  test("is read by the back half itself where somebody goes round the front half", async () => {
    await (await halves.back(sent({ headers: stated("/open/a") }), () => {})).arrayBuffer();
    expect(backend.requests.at(-1)!.headers.get("x-forwarded-for")).toBe("192.0.2.7");
  });
});

describe("decided afresh, and counted:", () => {
  const cases: [what: string, plan: () => string, request?: Sent][] = [
    ["a forged plan", () => "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.AAAA.AAAA"],
    ["a plan sealed with another key", () => sealedFor({}, { secret: new Uint8Array(32).fill(8) })],
    ["a plan replayed after its life", () => sealedFor({}, { at: now - 10_001 })],
    ["a plan for another method", () => sealedFor({ method: "POST" })],
    ["a plan for another target", () => sealedFor({ target: "/open/b" })],
    ["a plan for another query", () => sealedFor({ target: "/open/a?admin=1" })],
    ["a plan for another host", () => sealedFor({ host: "other.example" })],
    ["a plan for another caller", () => sealedFor({ client: { ip: "203.0.113.10", geo: undefined } })],
    ["a plan of another config", () => sealedFor({}, { digest: "another" })],
    [
      "a plan for other credentials",
      () => sealedFor({}, { headers: ["authorization", "Bearer root"] }),
      { headers: { authorization: "Bearer mine" } },
    ],
    ["a plan of a caller who had credentials", () => sealedFor({}, { headers: ["authorization", "Bearer root"] })],
    ["an empty plan", () => ""],
  ];
  test.each(cases)("%s", async (_, plan, request = {}) => {
    const before = await unopenedPlans();
    expect(await consumerAt(sent(request, plan()))).toBeUndefined();
    expect(await unopenedPlans()).toBe(before + 1);
  });
});

describe("without a plan", () => {
  test("what the front half refuses is refused here too", async () => {
    const reached = backend.requests.length;
    for (const [request, status] of [
      [{ target: "/nowhere" }, 404],
      [{ target: "/get-only", method: "DELETE" }, 405],
      [{ target: "/open/a%2Fb" }, 400],
      [{ target: "/open/..%2Fx" }, 400],
    ] as const) {
      expect((await halves.back(sent(request), () => {})).status).toBe(status);
      const verdict = await halves.front(sent(request), () => {});
      expect("response" in verdict && verdict.response.status).toBe(status);
    }
    expect(backend.requests.length).toBe(reached);
  });

  test("a plan whose route is not known here is decided afresh", async () => {
    const plan = sealPlan(
      { route: "/gone/*", target: "/open/a", state: {}, requestId: "r", traceparent: "t", startedAt: now, steps: [] },
      { ...requestFor({ target: "/open/a", ip: IP }), host: HOST },
      contextOf(SECRET, config.digest),
      now,
    );
    expect(await consumerAt(sent({}, plan))).toBeUndefined();
  });
});

test("a WebSocket is refused by either half", async () => {
  const request = { target: "/open/socket", headers: { upgrade: "websocket" } };
  const verdict = await halves.front(sent(request), () => {});
  expect("response" in verdict && verdict.response.status).toBe(501);
  expect((await halves.back(sent(request), () => {})).status).toBe(501);
});

test("the front half takes away a client's plan and whatever steers Next", async () => {
  const steering = {
    [PLAN_HEADER]: sealedFor(),
    "x-middleware-prefetch": "1",
    "x-middleware-subrequest": "middleware",
    "x-nextjs-data": "1",
    "x-gateway-consumer": "web:root",
  };
  const verdict = await halves.front(sent({ headers: steering }), () => {});
  if (!("requestHeaders" in verdict)) throw new Error("the front half answered itself");
  for (const name of Object.keys(steering)) if (name !== PLAN_HEADER) expect(verdict.requestHeaders.has(name)).toBe(false);
  expect(verdict.requestHeaders.get(PLAN_HEADER)).not.toBe(steering[PLAN_HEADER]);
});
