/** What a route means, as plain data: for people in `check` and `routes`, for machines in their `--json`. */

import type { Variables } from "../config/references.ts";
import type { CompiledRoute, Timeouts } from "../contract/compiled/config.ts";
import type { CompiledRetry } from "../contract/compiled/resilience.ts";
import { PHASES, type Phase } from "../contract/phases.ts";
import type { Template } from "../contract/template.ts";
import type { Pipeline, Step } from "../engine/pipeline.ts";
import type { Route } from "../engine/route.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { stepsOfPolicy } from "../policies/policy-step.ts";
import { exampleFor } from "./example.ts";
import type { LoadedGateway } from "./load-gateway.ts";
import { inMatchingOrder } from "./matching-order.ts";
import { textOf } from "./redact-variables.ts";

export interface RouteFacts {
  /** Where it stands in the config: `routes[3]`. */
  readonly position: string;
  readonly host: string | null;
  readonly path: string;
  /** Null for all. */
  readonly methods: readonly string[] | null;
  /** `header x-beta = 1`, `query preview`: all must hold. */
  readonly when: readonly string[];
  readonly goesTo: Destination;
  /** Any of these suffices; empty for everyone. */
  readonly auth: readonly string[];
  readonly guard: "strict" | "lenient";
  readonly encodedSlash: "refuse" | "keep";
  /** One for each distinct setting by method; the last, without methods, is for all others. */
  readonly byMethod: readonly VariantFacts[];
}

export type Destination =
  | {
      readonly kind: "backend";
      readonly backend: string;
      readonly example: { readonly from: string; readonly to: string } | undefined;
      /** The backend that gets copies, and the one that is asked when its own has failed. */
      readonly mirror: { readonly backend: string; readonly percent: number } | undefined;
      readonly fallback: string | undefined;
    }
  | { readonly kind: "respond"; readonly status: number; readonly contentType: string | undefined }
  | { readonly kind: "redirect"; readonly status: number; readonly to: string };

/** Null for no bound. */
export interface TimeoutFacts extends Pick<Timeouts, "connectMs" | "body"> {
  readonly firstByteMs: number | null;
  readonly idleMs: number | null;
  readonly totalMs: number | null;
}

export interface VariantFacts {
  readonly methods: readonly string[] | null;
  readonly maxBodyBytes: number;
  readonly timeouts: TimeoutFacts | null;
  readonly heartbeatMs: number | null;
  readonly retry: CompiledRetry | null;
  /** In the order in which they run. */
  readonly steps: readonly StepFacts[];
}

export interface StepFacts {
  readonly name: string;
  readonly phase: Phase;
  readonly mode: "enforce" | "shadow";
  readonly does: readonly ("decides" | "shapes the request" | "shapes the answer" | "reads the body" | "watches the end")[];
}

/** Most specific first. */
export function routeFacts({ gateway, compiled, environment }: LoadedGateway): RouteFacts[] {
  return inMatchingOrder(gateway.routes).map((route) => {
    const index = gateway.routes.indexOf(route);
    return factsOf(gateway, route, gateway.config.routes[index]!, compiled.routes[index]!, environment.variables);
  });
}

function factsOf(
  gateway: Gateway,
  route: Route,
  resolved: CompiledRoute,
  unresolved: CompiledRoute,
  variables: Variables,
): RouteFacts {
  const { position, host = null, path, methods = null, guard, encodedSlash } = route;
  const byMethod = resolved.variants.map((variant): VariantFacts => {
    // No method is empty, so that it stands for those without settings of their own.
    const pipeline = route.pipelineFor(variant.methods?.[0] ?? "");
    const { methods = null, timeouts, heartbeatMs = null, retry = null } = variant;
    const waits = timeouts ? timeoutFacts(timeouts) : null;
    return { ...variant, methods, timeouts: waits, heartbeatMs, retry, steps: stepsOf(pipeline) };
  });
  const auth = byMethod.at(-1)!.steps.filter(({ phase }) => phase === "identify");
  return {
    position,
    host,
    path,
    methods,
    when: whenOf(unresolved, variables),
    goesTo: destinationOf(route, resolved, gateway.backends),
    auth: auth.map(({ name }) => name),
    guard,
    encodedSlash,
    byMethod,
  };
}

export function timeoutFacts({ firstByteMs, idleMs, totalMs, ...timeouts }: Timeouts): TimeoutFacts {
  return { ...timeouts, firstByteMs: firstByteMs ?? null, idleMs: idleMs ?? null, totalMs: totalMs ?? null };
}

function whenOf({ when }: CompiledRoute, variables: Variables): string[] {
  if (!when) return [];
  const text = (kind: string, [name, value]: readonly [string, string | true]) =>
    value === true ? `${kind} ${name}` : `${kind} ${name} = ${textOf(value, variables)}`;
  return [...when.headers.map((pair) => text("header", pair)), ...when.query.map((pair) => text("query", pair))];
}

function destinationOf(route: Route, { variants, mirror, fallback }: CompiledRoute, backends: Gateway["backends"]): Destination {
  const { upstream } = route.pipelineFor("");
  if (upstream)
    return {
      kind: "backend",
      backend: upstream.backend.name,
      example: exampleFor(route, upstream.backend),
      mirror: mirror && { backend: backends[mirror.backend]!.name, percent: Math.round(mirror.share * 10_000) / 100 },
      fallback: fallback === undefined ? undefined : backends[fallback]!.name,
    };
  const [redirect] = stepsOfPolicy("redirect", [{ variants }]);
  if (redirect) {
    const { status, to } = redirect.options;
    return { kind: "redirect", status, to: templateText(to) };
  }
  const { status, headers } = stepsOfPolicy("respond", [{ variants }])[0]!.options;
  const type = headers.find(([name]) => name === "content-type")?.[1];
  return { kind: "respond", status, contentType: type && templateText(type) };
}

/** Every step that takes part, each once, in the order of the phases. */
function stepsOf(pipeline: Pipeline): StepFacts[] {
  const { decide, execute, onRequest, onResponse, onSend, onEnd, requestBody, responseBody } = pipeline;
  const steps = new Set([
    ...decide,
    ...execute,
    ...onRequest,
    ...onResponse,
    ...onSend,
    ...requestBody,
    ...responseBody,
    ...onEnd,
  ]);
  return [...steps].sort((a, b) => a.order - b.order).map(stepFacts);
}

export function stepFacts({ name, order, enforce, policy }: Step): StepFacts {
  const does: StepFacts["does"][number][] = [];
  if (policy.decide) does.push("decides");
  if (policy.onRequest) does.push("shapes the request");
  if (policy.onResponse || policy.onSend) does.push("shapes the answer");
  if (policy.requestBody || policy.responseBody) does.push("reads the body");
  if (policy.onEnd) does.push("watches the end");
  return { name, phase: PHASES[order]!, mode: enforce ? "enforce" : "shadow", does };
}

const SOURCES = {
  params: "params.",
  query: "query.",
  header: "request.headers.",
  claim: "claims.",
  consumer: "consumer.",
  geo: "geo.",
} as const;

/** A template as it was written. */
function templateText(template: Template): string {
  return template.map((part) => (typeof part === "string" ? part : `\${${SOURCES[part.from]}${part.name}}`)).join("");
}
