/** Builds the pipeline of a route for a method, once when a config is loaded. */

import type { Assertions } from "../backends/assertions.ts";
import type { Backend } from "../backends/backend.ts";
import { createCacheRule } from "../cache/cache-rule.ts";
import { routeMeaning } from "../cache/route-meaning.ts";
import type { Authenticator } from "../contract/authenticator.ts";
import type { CacheRule } from "../contract/caching.ts";
import type { CompiledConfig, CompiledMirror, CompiledStep, CompiledVariant, Timeouts } from "../contract/compiled/config.ts";
import type { CompiledRetry } from "../contract/compiled/resilience.ts";
import type { Deps } from "../contract/deps.ts";
import { FIRST_EXECUTE_PHASE, PHASES, type Phase } from "../contract/phases.ts";
import type { CustomPolicy, Policy, PolicyDefinition } from "../contract/policy.ts";
import { type CustomCode, PROBLEMS, type ProblemCode, type RefusalCode } from "../contract/problem.ts";
import type { MirrorRule, Pipeline, Step, Upstream } from "../engine/pipeline.ts";
import type { Route } from "../engine/route.ts";
import type { CredentialSource } from "../http/credential.ts";
import { createReverseRewrite } from "../proxy/reverse-rewrite.ts";
import type { ResourceMetadata } from "./resource-metadata.ts";

export interface PipelineSource {
  readonly config: CompiledConfig;
  readonly builtIn: ReadonlyMap<string, PolicyDefinition>;
  readonly custom: ReadonlyMap<string, CustomPolicy>;
  readonly authenticators: ReadonlyMap<string, Authenticator>;
  readonly metadata: ResourceMetadata | undefined;
  readonly assertions: Assertions;
  /** By index, for routes that speak of more than one. */
  readonly backends: readonly Backend[];
  readonly deps: Deps;
}

const POOL_CODES: ReadonlySet<RefusalCode> = new Set(["no-backend-available"] as const);
const ALL_CODES = Object.keys(PROBLEMS) as ProblemCode[];

export function buildPipeline(
  source: PipelineSource,
  route: Route,
  variant: CompiledVariant,
  backend: Backend | undefined,
): Pipeline {
  // Array.prototype.sort is stable: within a phase, steps keep the order of policies/index.ts.
  const built = variant.steps.map((step) => buildStep(source, route, step, backend)).sort((a, b) => a.step.order - b.step.order);
  const steps = [...built.map(({ step }) => step), ...poolSteps(backend)].sort((a, b) => a.order - b.order);
  const { methods: _methods, steps: _steps, timeouts: _timeouts, retry: _retry, ...settings } = variant;
  return Object.freeze({
    ...deciding(steps),
    ...hooks(steps),
    ...bodyHooks(steps),
    ...upstreams(source, route, variant, backend, built, steps),
    decideIn: built.some(({ needsBody }) => needsBody) ? "handler" : "front",
    identityFields: [...source.authenticators.values()].flatMap(({ fields = [] }) => fields),
    cache: cacheRule(source, route, variant, built, steps),
    ...settings,
  });
}

/** The steps that decide, by the half that runs them. */
function deciding(steps: readonly Step[]): Pick<Pipeline, "decide" | "execute"> {
  const all = steps.filter(({ policy }) => policy.decide);
  const front = all.filter(({ order }) => order < FIRST_EXECUTE_PHASE);
  const back = all.filter(({ order }) => order >= FIRST_EXECUTE_PHASE);
  // The first half gives the answer where the second has nothing else to decide: on Vercel that saves a function.
  const answersInFront = back.every(({ order }) => PHASES[order] === "answer");
  return answersInFront ? { decide: all, execute: [] } : { decide: front, execute: back };
}

function hooks(
  steps: readonly Step[],
): Pick<Pipeline, "onRequest" | "onResponse" | "onSend" | "onEnd" | "onBackendFailure" | "intercepts"> {
  const reversed = steps.toReversed();
  return {
    onRequest: steps.filter(({ policy }) => policy.onRequest),
    // A step that intercepts an answer sees it as all others have left it.
    onResponse: [
      ...reversed.filter(({ policy }) => policy.onResponse && !policy.intercept),
      ...reversed.filter(({ policy }) => policy.onResponse && policy.intercept),
    ],
    onSend: reversed.filter(({ policy }) => policy.onSend),
    onEnd: steps.filter(({ policy }) => policy.onEnd),
    onBackendFailure: steps.filter(({ policy }) => policy.onBackendFailure ?? policy.instead),
    intercepts: steps.filter(({ policy }) => policy.intercept),
  };
}

function bodyHooks(
  steps: readonly Step[],
): Pick<Pipeline, "requestBody" | "responseBody" | "bufferRequestBytes" | "mayBufferRequest" | "bufferResponseBytes"> {
  return {
    requestBody: steps.filter(({ policy }) => policy.requestBody?.open),
    responseBody: steps.filter(({ policy }) => policy.responseBody?.open).reverse(),
    bufferRequestBytes: bound(steps, ({ policy }) => policy.requestBody),
    // Shadow mode refuses nothing, so it holds no body to a length.
    mayBufferRequest: steps.filter(({ enforce, policy }) => enforce && policy.requestBody?.when),
    bufferResponseBytes: bound(steps, ({ policy }) => policy.responseBody),
  };
}

function cacheRule(
  { config, custom, deps }: PipelineSource,
  route: Route,
  variant: Pick<CompiledVariant, "steps">,
  built: readonly Built[],
  steps: readonly Step[],
): CacheRule | undefined {
  const customNames = new Set(variant.steps.flatMap((step) => (step.custom ? step.policy : [])));
  const meaning = () =>
    routeMeaning(
      route,
      built.map(({ compiled, step }) => ({ compiled, policy: step.policy })),
      config,
      custom,
    );
  return createCacheRule(route, steps, customNames, meaning, deps);
}

/**
 * The route's own backend, its fallback and its mirror. Which credentials the built-in policies keep from a backend depends on that
 * backend; those that custom policies remove no backend gets.
 */
function upstreams(
  source: PipelineSource,
  route: Route,
  variant: CompiledVariant,
  backend: Backend | undefined,
  built: readonly Built[],
  steps: readonly Step[],
): Pick<Pipeline, "upstream" | "fallback" | "mirror"> {
  if (!backend || !variant.timeouts) return { upstream: undefined, fallback: undefined, mirror: undefined };
  const byCustom = strippedBy(built.filter(({ isCustom }) => isCustom).map(({ step }) => step));
  const other = (index: number) => {
    const to = source.backends[index]!;
    const builtIn = variant.steps.filter(({ custom }) => !custom).map((step) => buildStep(source, route, step, to).step);
    const { timeouts, resilience } = to.compiled;
    return upstreamTo(to, source, route, { timeouts, retry: resilience?.retry }, [...strippedBy(builtIn), ...byCustom]);
  };
  const { mirror, fallback } = route;
  const { timeouts, retry } = variant;
  return {
    upstream: upstreamTo(backend, source, route, { timeouts, retry }, strippedBy(steps)),
    fallback: fallback === undefined ? undefined : other(fallback),
    mirror: mirror && mirrorOf(mirror, other(mirror.backend), steps),
  };
}

function upstreamTo(
  backend: Backend,
  { assertions }: PipelineSource,
  route: Route,
  { timeouts, retry }: { readonly timeouts: Timeouts; readonly retry: CompiledRetry | undefined },
  strippedCredentials: readonly CredentialSource[],
): Upstream {
  const { targets, compiled } = backend;
  return Object.freeze({
    backend,
    assertion: assertions.byBackend.get(backend.name),
    timeouts,
    ...(retry && { retry }),
    isDirect: targets.length === 1 && !retry && !compiled.resilience && !compiled.strict,
    reverseRewrite: new Map(targets.map((target) => [target, createReverseRewrite(route, target)])),
    strippedCredentials,
  });
}

function mirrorOf({ share, maxBodyBytes }: CompiledMirror, upstream: Upstream, steps: readonly Step[]): MirrorRule {
  const requestBody = steps.filter(({ policy }) => policy.requestBody?.open && policy.requestBody.mode === "transform");
  return Object.freeze({ upstream, requestBody, share, maxBodyBytes });
}

function strippedBy(steps: readonly Step[]): readonly CredentialSource[] {
  return steps.flatMap(({ policy }) => policy.strippedCredentials ?? []);
}

interface Built {
  readonly compiled: CompiledStep;
  readonly step: Step;
  readonly isCustom: boolean;
  readonly needsBody: boolean;
}

function buildStep(source: PipelineSource, route: Route, compiled: CompiledStep, backend: Backend | undefined): Built {
  const enforce = compiled.mode === "enforce";
  if (compiled.custom) {
    const custom = source.custom.get(compiled.policy);
    if (!custom) throw new Error(`the custom policy "${compiled.policy}" of ${route.position} was not handed to createGateway`);
    const phase = custom.phase ?? custom.row ?? "authorize";
    const { cacheable = false, problems } = custom;
    const policy = createCustom(custom, source.deps, route);
    const refuses = new Set<RefusalCode>([...ALL_CODES, ...(Object.keys(problems ?? {}) as CustomCode[])]);
    const step = Object.freeze({ ...makeStep(custom.name, phase, enforce, refuses, cacheable, policy), problems });
    return { compiled, step, isCustom: true, needsBody: phase !== "validate" && step.policy.requestBody?.mode === "buffer" };
  }
  const definition = source.builtIn.get(compiled.policy);
  if (!definition) throw new Error(`there is no policy "${compiled.policy}", named by ${route.position}`);
  const { deps, authenticators, metadata } = source;
  const policy = definition.create(compiled.options, deps, route, { authenticators, backend, enforce, metadata });
  const { refuses, cacheable } = definition;
  const { name, phase } = compiled.phase ? { name: compiled.phase, phase: compiled.phase } : definition;
  return {
    compiled,
    step: makeStep(name, phase ?? "answer", enforce, new Set(refuses), cacheable, policy),
    isCustom: false,
    needsBody: definition.needsBody ?? false,
  };
}

/** They say which of a backend's targets are meant, whatever the route: no cached answer may stand for that. */
function poolSteps(backend: Backend | undefined): Step[] {
  return (backend?.poolSteps ?? []).map(([name, policy]) => makeStep(name, "pool", true, POOL_CODES, false, policy));
}

function createCustom({ name, create }: CustomPolicy, deps: Deps, route: Route): Policy {
  try {
    return create(deps, route);
  } catch (error) {
    throw new Error(
      `the custom policy "${name}" of ${route.position} can't be made: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    );
  }
}

function makeStep(
  name: string,
  phase: Phase,
  enforce: boolean,
  refuses: ReadonlySet<RefusalCode>,
  cacheable: boolean,
  policy: Policy,
): Step {
  return Object.freeze({ name, order: PHASES.indexOf(phase), enforce, refuses, cacheable, policy });
}

function bound(steps: readonly Step[], partOf: (step: Step) => Policy["requestBody"]): number | undefined {
  const bounds = steps.flatMap((step) => {
    const part = partOf(step);
    return part?.mode === "buffer" && !part.when ? [part.maxBytes ?? Number.POSITIVE_INFINITY] : [];
  });
  return bounds.length > 0 ? Math.min(...bounds) : undefined;
}
