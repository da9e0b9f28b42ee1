/** Names that a config gives a meaning: what a key may say of its consumer, and whose usage can be asked for. */

import { didYouMean } from "../config/nearest.ts";
import type { CompiledConfig } from "../contract/compiled/config.ts";
import type { AuthorizeOptions } from "../policies/authorize/options.ts";
import type { LimitOptions } from "../policies/limit/compiled-limit.ts";

export interface ConfigNames {
  readonly tiers: ReadonlySet<string>;
  readonly scopes: ReadonlySet<string>;
}

export function namesIn({ routes }: CompiledConfig): ConfigNames {
  const options = stepOptions(routes);
  return {
    tiers: new Set(options<LimitOptions>("limit").flatMap(({ tiers }) => Object.keys(tiers?.byName ?? {}))),
    scopes: new Set(options<AuthorizeOptions>("authorize").flatMap(({ scopes }) => scopes?.names ?? [])),
  };
}

/** Undefined for a known name, and where the config knows none: then the name means nothing to the gateway. */
export function unknownName(kind: string, name: string, known: ReadonlySet<string>): string | undefined {
  if (known.size === 0 || known.has(name)) return undefined;
  return `the config has no ${kind} ${JSON.stringify(name)}. ${didYouMean(name, known) ?? `There are ${[...known].join(", ")}.`}`;
}

function stepOptions(routes: CompiledConfig["routes"]) {
  const steps = routes.flatMap(({ variants }) => variants.flatMap((variant) => variant.steps));
  return <Options>(policy: string) =>
    steps.filter((step) => step.policy === policy).map(({ options }) => options as unknown as Options);
}
