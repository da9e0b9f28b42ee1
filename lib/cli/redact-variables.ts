/**
 * What the command shows of a config holds no secret: texts that come from variables stand there by name, `${env.TOKEN}`, and
 * their values never enter the gateway that explains. Addresses, times and sizes are needed as they are.
 */

import { isReference, type Reference, referencesIn, type Variables } from "../config/references.ts";
import type { CompiledConfig, CompiledStep } from "../contract/compiled/config.ts";

const TEXTS: ReadonlySet<Reference["as"]> = new Set(["string", "header", "json", "path"]);
/** Shorter values (`on`, `3000`) stand in any text by chance. */
const MIN_SECRET_LENGTH = 8;
/** Policies that only copy their texts into what is sent. Others decide by them, and get the values. */
const COPYING: ReadonlySet<string> = new Set(["headers", "respond", "redirect"]);

/** A config as compiled, with such references replaced by their names wherever a text is only copied. */
export function withNamedTexts(config: CompiledConfig, variables: Variables): CompiledConfig {
  const named = <T>(value: T): T => nameTexts(value, variables) as T;
  const namedSteps = (steps: readonly CompiledStep[]) =>
    steps.map((step) => (COPYING.has(step.policy) && !step.custom ? { ...step, options: named(step.options) } : step));
  return {
    ...config,
    backends: config.backends.map((backend) => ({ ...backend, headers: named(backend.headers) })),
    routes: config.routes.map((route) => ({
      ...route,
      rewrite: named(route.rewrite),
      variants: route.variants.map((variant) => ({ ...variant, steps: namedSteps(variant.steps) })),
    })),
    unrouted: namedSteps(config.unrouted),
  };
}

function nameTexts(value: unknown, variables: Variables): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isReference(value)) return TEXTS.has(value.as) ? nameOf(value, variables) : value;
  if (Array.isArray(value)) return value.map((item) => nameTexts(item, variables));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, nameTexts(item, variables)]));
}

/** A fallback stands in the config itself, and is shown where it is used. */
function nameOf({ $ref }: Reference, variables: Variables): string {
  return $ref
    .map((part) =>
      typeof part === "string"
        ? part
        : !variables[part.env] && part.fallback !== undefined
          ? part.fallback
          : `\${env.${part.env}}`,
    )
    .join("");
}

/** Any value of a compiled config as text, references by name. */
export function textOf(value: unknown, variables: Variables): string {
  return isReference(value) ? nameOf(value, variables) : String(value);
}

/** The second net: a policy that gets the values, or reads a variable by itself, may well write one into what is shown. */
export function hideValues(text: string, config: CompiledConfig, variables: Variables): string {
  const references = [...referencesIn(config)].filter(({ as }) => TEXTS.has(as));
  const names = new Set(references.flatMap(({ $ref }) => $ref.flatMap((part) => (typeof part === "string" ? [] : [part.env]))));
  let hidden = text;
  for (const name of names) {
    const value = variables[name];
    if (value === undefined || value.length < MIN_SECRET_LENGTH) continue;
    const shown = () => `\${env.${name}}`;
    hidden = hidden.replaceAll(value, shown).replaceAll(JSON.stringify(value).slice(1, -1), shown);
  }
  return hidden;
}
