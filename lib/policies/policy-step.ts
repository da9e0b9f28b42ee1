/** A compiled step of a built-in policy, with the options that the table of policy schemas gives to its name. */
import type { StepOptions } from "../config/policy-schema.ts";
import type { CompiledRoute, CompiledStep } from "../contract/compiled/config.ts";
import type { POLICY_SCHEMAS } from "./schemas.ts";

type Schemas = typeof POLICY_SCHEMAS;
export type PolicyName = keyof Schemas;

type OptionsOf<Schema> = Schema extends { compile(...given: never[]): infer Options }
  ? NonNullable<Options>
  : Schema extends { forConfig(config: never): { steps(...given: never[]): readonly StepOptions<infer Options>[] } }
    ? Options
    : never;

export interface PolicyStep<Name extends PolicyName> extends CompiledStep {
  readonly policy: Name;
  readonly options: OptionsOf<Schemas[Name]>;
}

export function isStepOf<Name extends PolicyName>(policy: Name, step: CompiledStep): step is PolicyStep<Name> {
  return step.policy === policy && !step.custom;
}

/** The steps of one policy, over all methods of these routes. */
export function stepsOfPolicy<Name extends PolicyName>(
  policy: Name,
  routes: readonly Pick<CompiledRoute, "variants">[],
): readonly PolicyStep<Name>[] {
  return routes.flatMap(({ variants }) => variants.flatMap(({ steps }) => steps.filter((step) => isStepOf(policy, step))));
}
