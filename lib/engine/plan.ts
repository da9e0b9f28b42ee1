/**
 * The sealed plan: what the front half decided, for the half that executes. It is encrypted (lib/crypto/compact-jwe.ts), since a signature
 * alone would hide nothing. It names ids and results, never credentials, and is bound to the one request it was made for.
 */
import { createHash } from "node:crypto";
import type { TargetOrder } from "../contract/exchange.ts";
import type { Json } from "../contract/json.ts";
import type { StepRecord } from "../contract/record.ts";
import type { Client, Consumer, GatewayRequest } from "../contract/request.ts";
import { decryptCompact, encryptCompact } from "../crypto/compact-jwe.ts";
import { hasBody } from "../http/framing.ts";
import { readRequestHeaders } from "../http/sanitize-headers.ts";

export interface Plan {
  readonly route: string;
  /** As the front half received it. What the handler gets to see has been through Next, which rewrites queries. */
  readonly target: string;
  /** Whom a frontend states, and what became of its word: the platform tells each half of the edge alone. */
  readonly client?: Client | undefined;
  readonly consumer?: Consumer | undefined;
  readonly pool?: TargetOrder | undefined;
  readonly state: Readonly<Record<string, Json>>;
  readonly requestId: string;
  readonly traceparent: string;
  readonly startedAt: number;
  readonly steps: readonly StepRecord[];
}

/** What a plan is bound to beside the request. */
export interface PlanContext {
  readonly configDigest: string;
  /** Names of the fields that credentials may stand in, in lower case. */
  readonly credentialFields: ReadonlySet<string>;
  /** The first seals, all of them open: rotation. */
  readonly keys: readonly Uint8Array[];
}

interface Sealed extends Plan {
  /** Binding: digest of the request it belongs to. */
  readonly b: string;
  /** NumericDate (RFC 7519 section 2), with fractions. */
  readonly exp: number;
}

/** In place of a route: nothing was decided yet, and the plan only says who calls. */
export const UNDECIDED = "";

export const PLAN_HEADER = "x-gateway-plan";
/** A larger plan is not sealed: the handler then decides (all headers of a request share 32 KB on Vercel). */
export const MAX_PLAN_BYTES = 6 * 1024;
/** The most JSON that fits into a plan of that size: base64url, IV, tag and binding take the rest. */
const MAX_JSON_BYTES = Math.floor((MAX_PLAN_BYTES - 256) * 0.75);
/** Room for what limits add once they are charged: eight of them, of which four are settled at the end (compile-limits.ts). */
const LIMIT_RESULTS_BYTES = 2200;
const LIFE_MS = 10_000;
/** Next holds a request's body before the handler starts, so a slow upload outlives the short life. */
const LIFE_WITH_BODY_MS = 10 * 60_000;

/** Seals with the first key. Undefined where the result would be over MAX_PLAN_BYTES. */
export function sealPlan(plan: Plan, request: GatewayRequest, context: PlanContext, nowMs: number): string | undefined {
  // By the fields: where Vercel keeps bodies out of the middleware, the request at hand has none.
  const lifeMs = hasBody(request.facts ?? readRequestHeaders(request.headers)) ? LIFE_WITH_BODY_MS : LIFE_MS;
  const sealed: Sealed = { ...plan, b: bindingOf(request, context), exp: (nowMs + lifeMs) / 1000 };
  const token = encryptCompact(JSON.stringify(sealed), context.keys[0]!);
  return token.length > MAX_PLAN_BYTES ? undefined : token;
}

/** Whether a plan will still fit once limits have added their results: asked before anything is charged. */
export function fitsPlan(plan: Plan): boolean {
  return Buffer.byteLength(JSON.stringify(plan)) + LIMIT_RESULTS_BYTES <= MAX_JSON_BYTES;
}

/** Undefined for anything but a plan that was sealed here, for this very request, and has not run out. */
export function openPlan(token: string, request: GatewayRequest, context: PlanContext, nowMs: number): Plan | undefined {
  if (token.length > MAX_PLAN_BYTES) return undefined;
  const text = decryptCompact(token, context.keys);
  const plan = text === undefined ? undefined : (JSON.parse(text) as Sealed);
  if (!plan || !isSameTarget(plan.target, request.target) || plan.b !== bindingOf(request, context)) return undefined;
  return plan.exp * 1000 > nowMs ? plan : undefined;
}

/**
 * Whether the handler's target is the sealed one after Next: the same path, and a query of the same names and values, which Next
 * spells anew and reorders (`?a` becomes `?a=`, `%zz` becomes `%25zz`). The sealed one was decided, and is what goes on.
 */
function isSameTarget(sealed: string, seen: string): boolean {
  if (sealed === seen) return true;
  const [sealedPath, sealedQuery] = split(sealed);
  const [seenPath, seenQuery] = split(seen);
  return sealedPath === seenPath && canonical(sealedQuery) === canonical(seenQuery);
}

function split(target: string): [path: string, query: URLSearchParams] {
  const question = target.indexOf("?");
  if (question < 0) return [target, new URLSearchParams()];
  return [target.slice(0, question), new URLSearchParams(target.slice(question))];
}

function canonical(query: URLSearchParams): string {
  // Next keeps route parameters of its own under nxtP and nxtI, and drops a caller's.
  const entries = [...query].filter(([name]) => !/^nxt[PI]/.test(name));
  return entries
    .map((entry) => JSON.stringify(entry))
    .sort()
    .join();
}

/** A plan moved to another method, host, caller, config or set of credentials must not open; isSameTarget looks at the target. */
function bindingOf(request: GatewayRequest, { configDigest, credentialFields }: PlanContext): string {
  const { method, host, client, headers } = request;
  const credentials: string[] = [];
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (credentialFields.has(lower)) credentials.push(lower, value);
  }
  // JSON keeps the fields apart: no value can run over into the next.
  const parts = [method, host, client.ip ?? null, configDigest, credentials];
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
}
