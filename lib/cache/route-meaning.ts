/**
 * What the answers of a route hang on beside the request: as a digest, which is part of each key. A reload or a deployment that leaves it
 * as it is keeps what is stored, and one that changes it starts anew. Rather too much counts than too little: a key that differs costs
 * a miss, one that does not would give an answer of the old config.
 */
import { createHash } from "node:crypto";
import type { CompiledConfig, CompiledStep } from "../contract/compiled/config.ts";
import type { CustomPolicy, Policy } from "../contract/policy.ts";
import type { Route } from "../engine/route.ts";
import { isStepOf } from "../policies/policy-step.ts";

/** By these a policy has a part in what is asked of the backend, or in what everybody gets of its answer. */
const SHAPING = [
  "strippedCredentials",
  "onRequest",
  "onResponse",
  "requestBody",
  "responseBody",
  "cacheKey",
  "cache",
] as const satisfies (keyof Policy)[];

export interface BuiltStep {
  readonly compiled: CompiledStep;
  readonly policy: Policy;
}

/** `config` with references resolved: another value of a variable is another meaning. */
export function routeMeaning(
  route: Omit<Route, "pipelineFor">,
  steps: readonly BuiltStep[],
  config: CompiledConfig,
  customPolicies: ReadonlyMap<string, CustomPolicy>,
): string {
  const { id, host, path, methods, when, rewrite, guard, encodedSlash, backend, fallback } = route;
  const shaping = steps
    .filter(({ policy }) => SHAPING.some((part) => policy[part] !== undefined))
    .map(({ compiled }) => compiled);
  const accepted = new Set(steps.flatMap(({ compiled }) => acceptedBy(compiled)));
  const meaning = [
    { id, host, path, methods, when, rewrite, guard, encodedSlash },
    [backend, fallback].map((index) => (index === undefined ? null : config.backends[index])),
    shaping,
    config.authenticators.filter(({ name }) => accepted.has(name)),
    // Nobody can tell what a custom policy reads of its surroundings: any change of the config counts, and of its own text.
    shaping.some(({ custom }) => custom)
      ? [config.digest, ...shaping.map(({ policy }) => String(customPolicies.get(policy)?.create))]
      : [],
  ];
  return createHash("sha256").update(JSON.stringify(meaning)).digest("base64url");
}

/** The authenticators that may name the consumer. */
function acceptedBy(step: CompiledStep): readonly string[] {
  return isStepOf("auth", step) ? step.options.accept : [];
}
