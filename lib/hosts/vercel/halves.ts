/** The Vercel host: the front half decides in middleware and seals a plan, the back half opens it and executes. */
import { randomBytes } from "node:crypto";
import { artifact, customPolicies } from "#compiled";
import { DOCTOR_HEADER } from "../../admin/doctor-pass.ts";
import { type Environment, readEnvironment } from "../../config/env.ts";
import { resolveReferences } from "../../config/references.ts";
import { consoleView } from "../../console/shared-view.ts";
import { refuse } from "../../contract/problem.ts";
import type { Client, GatewayRequest } from "../../contract/request.ts";
import { deriveKeys } from "../../crypto/derive-keys.ts";
import { openPlan, PLAN_HEADER, type Plan, type PlanContext, sealPlan, UNDECIDED } from "../../engine/plan.ts";
import type { Verdict } from "../../gateway/decide.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { GEO_FIELDS, readGeo } from "../../http/geo-fields.ts";
import { canonicalIp } from "../../http/ip.ts";
import { parseTarget } from "../../http/target.ts";
import { createLog } from "../../observe/log.ts";
import { createStores } from "../../stores/create-stores.ts";
import { accessOf, createEngine, type Engine } from "../runtime.ts";
import { statedClient } from "../stated-client.ts";
import { type ConsolePolicy, withConsolePolicy } from "./console-policy.ts";
import { type NextUploads, watchUploads } from "./next-uploads.ts";
import { respond, toGatewayRequest } from "./web-request.ts";

interface VercelHost {
  readonly gateway: Gateway;
  readonly engine: Engine;
  readonly environment: Environment;
  readonly planContext: PlanContext;
  /** Undefined on Vercel, where the platform holds bodies. */
  readonly uploads: NextUploads | undefined;
}

/** What the front half tells Next to do: answer, or go on with these request headers, and add these to the answer. */
export type FrontVerdict = { readonly response: Response } | ConsolePolicy;

/** `waitUntil` of the request at hand. */
export type Defer = (promise: Promise<unknown>) => void;

const log = createLog();
/** The latest request's: any request that still runs keeps the instance alive for the work of all. */
let waitUntil: Defer = () => {};

/** A request may end after its own scope, where Next's `after` throws. The work goes on as long as the instance is awake. */
function keepAwake(promise: Promise<unknown>): void {
  try {
    waitUntil(promise);
  } catch {
    promise.catch(() => {});
  }
}

/** One for each function instance; both halves have their own. */
let started: Promise<VercelHost> | undefined;

function ready(): Promise<VercelHost> {
  started ??= start();
  return started;
}

/** Resolves once the running gateway has told the console what it runs. The Node host has, before Next was loaded. */
export async function consoleReady(): Promise<void> {
  if (!consoleView()) await ready();
}

async function start(): Promise<VercelHost> {
  const environment = readEnvironment();
  const { redis: upstash, storePrefix: prefix } = environment;
  const engine = createEngine({
    host: { name: "vercel", passesContentEncoding: false, trustsContentLength: false, upgrades: false, hasTimers: false },
    stores: await createStores({ upstash, prefix, dataDir: undefined, host: "vercel", log }),
    log,
    // One call for each line: what Vercel's log drains parse.
    requestLog: { format: "json", write: console.log },
    access: { ...accessOf(environment), openOnLoopback: false },
    defer: keepAwake,
  });
  const gateway = engine.load(resolveReferences(artifact, environment.variables), customPolicies, environment);
  const { config, credentialFields } = gateway;
  const planContext = { configDigest: config.digest, credentialFields, keys: planKeysOf(environment) };
  const uploads = environment.vercel ? undefined : watchUploads(config.maxBodyBytes);
  return { gateway, engine, environment, planContext, uploads };
}

/** From GATEWAY_SECRET, else the key drawn at build. Neither: nothing sealed elsewhere opens, and every handler decides itself. */
function planKeysOf({ secrets, buildKey }: Environment): readonly Uint8Array[] {
  if (secrets.length > 0) return deriveKeys(secrets, "plan");
  return deriveKeys([buildKey === undefined ? randomBytes(32) : Buffer.from(buildKey, "base64url")], "plan");
}

/** Runs before Vercel's CDN cache and before the handler. */
export async function front(request: Request, defer: Defer): Promise<FrontVerdict> {
  // On the Node host Next serves only the console's pages, and the gate was passed before it was asked.
  if (consoleView()?.host === "node") return withConsolePolicy(request.headers);
  waitUntil = defer;
  const host = await ready();
  const hasRoom = host.uploads?.hold(request.headers) ?? true;
  const verdict = await decideInFront(request, host, hasRoom);
  if ("response" in verdict) host.uploads?.letGo(request.headers);
  return verdict;
}

async function decideInFront(request: Request, host: VercelHost, hasRoom: boolean): Promise<FrontVerdict> {
  const { gateway, planContext } = host;
  const { received, asSeen } = receive(request, host);
  try {
    if (!HANDLER_METHODS.has(request.method)) {
      const refusal = refuse("method-not-allowed", { headers: ["allow", [...HANDLER_METHODS].join(", ")] });
      return { response: await respond((sink) => gateway.refuse(received, refusal, sink), request.signal) };
    }
    if (namesOwnPattern(received.target)) {
      const refusal = refuse("route-not-found", { reason: "Next takes the path for the pattern of its own route" });
      return { response: await respond((sink) => gateway.refuse(received, refusal, sink), request.signal) };
    }
    const verdict = await gateway.decide(received, "front");
    // Only now: it is an answer of the route, which a script of another origin may read.
    const noRoom = hasRoom ? undefined : refuse("overloaded", { headers: ["retry-after", "1"] });
    const stop = verdict.kind === "stop" ? verdict.stop : noRoom;
    if (stop) {
      const response = await respond((sink) => gateway.send(verdict.ctx, stop, sink), request.signal);
      return { response: withAbsoluteLocation(response, request.url) };
    }
    const headers = withoutSteering(request.headers);
    const plan = planOf(verdict);
    const sealed = plan && sealPlan(plan, asSeen, planContext, Date.now());
    if (sealed !== undefined) headers.set(PLAN_HEADER, sealed);
    const pass = request.headers.get(DOCTOR_HEADER);
    // The doctor is answered where answers come from.
    if (pass !== null && verdict.kind === "defer") headers.set(DOCTOR_HEADER, pass);
    if (verdict.kind === "console") return withConsolePolicy(headers);
    return { requestHeaders: headers, responseHeaders: {} };
  } catch (error) {
    return { response: await fail(error, host, received, request.signal) };
  }
}

/** A request that is decided in the handler needs one where a frontend stated the caller: by then its word may be stale. */
function planOf({ kind, ctx }: Verdict): Plan | undefined {
  if (kind === "execute") return ctx.toPlan();
  if (!ctx.request.client.frontend) return undefined;
  return { ...ctx.toPlan(), route: UNDECIDED, consumer: undefined, pool: undefined, state: {}, steps: [] };
}

/** The catch-all route handler. Without a plan that opens it decides itself, so going round the middleware gains nothing. */
export async function back(request: Request, defer: Defer): Promise<Response> {
  waitUntil = defer;
  const host = await ready();
  const { gateway, engine, planContext } = host;
  const { received: arrived, asSeen } = receive(request, host);
  let received = arrived;
  try {
    const sealed = request.headers.get(PLAN_HEADER);
    if (sealed !== null) {
      const plan = openPlan(sealed, asSeen, planContext, Date.now());
      if (plan?.client) received = { ...received, client: plan.client };
      const ctx = plan && gateway.resume(received, plan);
      if (ctx) return await respond((sink) => gateway.execute(ctx, sink), request.signal);
      if (plan?.route !== UNDECIDED) engine.countUnopenedPlan();
    }
    const verdict = await gateway.decide(received, "whole");
    return await respond((sink) => {
      if (verdict.kind === "execute") gateway.execute(verdict.ctx, sink);
      else gateway.send(verdict.ctx, verdict.kind === "stop" ? verdict.stop : refuse("route-not-found"), sink);
    }, request.signal);
  } catch (error) {
    return fail(error, host, received, request.signal);
  }
}

/** Next parses the Location of a middleware's answer and takes only absolute ones; it makes those of its own host relative again. */
function withAbsoluteLocation(response: Response, base: string): Response {
  const location = response.headers.get("location");
  if (location !== null) response.headers.set("location", new URL(location, base).href);
  return response;
}

/** A bug: logged once, and a problem for the caller. */
function fail(error: unknown, { gateway }: VercelHost, received: GatewayRequest, signal: AbortSignal): Promise<Response> {
  log.error("the gateway failed", { error: error instanceof Error ? error.stack : String(error) });
  return respond((sink) => gateway.refuse(received, refuse("internal"), sink), signal);
}

/** The methods for which Next calls a route handler; it answers others with an empty 400 of its own. */
const HANDLER_METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Called by the pattern of its route, the handler is told that it was asked for `/`. */
function namesOwnPattern(target: string): boolean {
  if (!target.includes("[") && !/%5b/i.test(target)) return false;
  return parseTarget(target)?.segments.some((segment) => segment.includes("[[...path]]")) ?? false;
}

/** `asSeen` has the platform's word about the caller, which both halves hear: a plan is bound to it. */
function receive(request: Request, { environment: { vercel }, gateway }: VercelHost) {
  const peer = vercel ? platformClient(request.headers) : UNKNOWN_CLIENT;
  const asSeen = toGatewayRequest(request, peer, vercel ? "https" : "http");
  const client = statedClient(peer, asSeen, asSeen.facts, gateway.config);
  return { received: client === peer ? asSeen : { ...asSeen, client }, asSeen };
}

/** Under plain `next start` nobody overwrites what a client says of itself, so nothing is known. */
const UNKNOWN_CLIENT: Client = { ip: undefined, geo: undefined };

/** Vercel overwrites these headers at its edge; off Vercel they would be the client's to forge. */
function platformClient(headers: Headers): Client {
  const ip = headers.get("x-real-ip");
  const geo = readGeo({ get: (name) => headers.get(name) ?? undefined }, GEO_FIELDS.vercel);
  return { ip: ip === null ? undefined : canonicalIp(ip), geo };
}

/** Without what a client could steer Next or this gateway by: `x-middleware-prefetch: 1` alone makes Next skip the handler. */
function withoutSteering(received: Headers): Headers {
  const headers = new Headers(received);
  for (const name of received.keys()) {
    if (/^x-(?:gateway|middleware|nextjs)-/.test(name)) headers.delete(name);
  }
  return headers;
}
