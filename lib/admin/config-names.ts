/** Names that a config gives a meaning: what a key may say of its consumer, and whose usage can be asked for. */

import { didYouMean } from "../config/nearest.ts";
import type { CompiledConfig } from "../contract/compiled/config.ts";
import { stepsOfPolicy } from "../policies/policy-step.ts";

export interface ConfigNames {
  readonly tiers: ReadonlySet<string>;
  readonly scopes: ReadonlySet<string>;
}

export function namesIn({ routes }: CompiledConfig): ConfigNames {
  return {
    tiers: new Set(stepsOfPolicy("limit", routes).flatMap(({ options }) => Object.keys(options.tiers?.byName ?? {}))),
    scopes: new Set(stepsOfPolicy("authorize", routes).flatMap(({ options }) => options.scopes?.names ?? [])),
  };
}

/** Undefined for a known name, and where the config knows none: then the name means nothing to the gateway. */
export function unknownName(kind: string, name: string, known: ReadonlySet<string>): string | undefined {
  if (known.size === 0 || known.has(name)) return undefined;
  return `the config has no ${kind} ${JSON.stringify(name)}. ${didYouMean(name, known) ?? `There are ${[...known].join(", ")}.`}`;
}
