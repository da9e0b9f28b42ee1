/** The steps of a route's built-in policies, in the order of POLICY_SCHEMAS. A new policy needs no line here. */
import type { Fields } from "../config/fields.ts";
import type { Report } from "../config/issue.ts";
import type {
  ConfigContext,
  KeysSchema,
  PolicySchema,
  RouteContext,
  Setting,
  StepCompiler,
  StepOptions,
} from "../config/policy-schema.ts";
import type { CompiledStep } from "../contract/compiled/config.ts";
import { POLICY_SCHEMAS } from "../policies/schemas.ts";

const NAMED: readonly (readonly [name: string, schema: PolicySchema])[] = Object.entries(POLICY_SCHEMAS);

export function policySchemaOf(name: string): PolicySchema | undefined {
  return (POLICY_SCHEMAS as Readonly<Record<string, PolicySchema>>)[name];
}

/** The keys of a route that answer in place of a backend. */
export const DESTINATION_KEYS = NAMED.filter(([, { isDestination }]) => isDestination).map(([name]) => name);
/** The policies' keys that mean nothing without a backend. */
export const BACKEND_KEYS = NAMED.filter(([, { needsBackend }]) => needsBackend).map(([name]) => name);

export class PolicySteps {
  readonly #ofSeveralKeys: ReadonlyMap<PolicySchema, StepCompiler>;

  constructor(config: ConfigContext) {
    const schemas = NAMED.map(([, schema]) => schema).filter((schema) => "forConfig" in schema);
    this.#ofSeveralKeys = new Map(schemas.map((schema) => [schema, schema.forConfig(config)]));
  }

  /** The answer is innermost, and custom policies come before it. */
  steps(route: RouteContext, fields: Fields, custom: readonly CompiledStep[]): CompiledStep[] {
    const inner: CompiledStep[] = [];
    const outer: CompiledStep[] = [];
    for (const [policy, schema] of NAMED) {
      const options = this.#optionsOf(policy, schema, route, fields);
      // Of a default, on a route that answers itself.
      if (schema.needsBackend && route.backend === undefined) continue;
      const mode = isShadow(policy, schema, route) ? "shadow" : "enforce";
      for (const { phase, ...step } of options)
        (schema.isDestination ? inner : outer).push({ policy, custom: false, mode, ...step, ...(phase && { phase }) });
    }
    return [...outer, ...custom, ...inner];
  }

  /** Empty where the route does not use the policy. */
  #optionsOf(policy: string, schema: PolicySchema, route: RouteContext, fields: Fields): readonly StepOptions[] {
    if ("forConfig" in schema) return this.#ofSeveralKeys.get(schema)!.steps(givenOf(schema, route), fields, route);
    const { value, place } = route.setting(policy);
    const options = isGiven(value) ? schema.compile(value, place, fields, route) : undefined;
    return options === undefined ? [] : [{ options }];
  }
}

/** The methods that get steps of their own. `methods` are those of the route. */
export function ownMethodsOf(
  setting: RouteContext["setting"],
  methods: readonly string[] | undefined,
  report: Report,
): readonly string[] {
  return NAMED.flatMap(([policy, schema]) => {
    const own = setting(policy);
    return isGiven(own.value) ? (schema.ownMethods?.(own, methods, report) ?? []) : [];
  });
}

/** The steps that shape answers of no route, such as 404, from the steps of `defaults`. */
export function unroutedSteps(defaults: readonly CompiledStep[]): CompiledStep[] {
  return defaults.flatMap((step): CompiledStep[] => {
    const options = step.custom ? undefined : policySchemaOf(step.policy)?.unrouted?.(step.options);
    return options === undefined ? [] : [{ ...step, mode: "enforce", options }];
  });
}

function givenOf({ settings }: KeysSchema, route: RouteContext): Readonly<Record<string, Setting>> {
  const given = Object.keys(settings).map((key) => [key, route.setting(key)] as const);
  return Object.fromEntries(given.filter(([, { value }]) => isGiven(value)));
}

/** `false` switches a default off. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false;
}

function isShadow(policy: string, schema: PolicySchema, route: RouteContext): boolean {
  if (schema.ignoresShadow) return false;
  const value = "setting" in schema ? route.setting(policy).value : undefined;
  return route.isShadow || (typeof value === "object" && value !== null && "mode" in value && value.mode === "shadow");
}
