/** The methods that a preflight is told, where `cors` does not list them: those of every route of the same host and path. */

import type { CompiledStep } from "../contract/compiled/config.ts";
import type { CorsOptions } from "../policies/cors/options.ts";
import { isStepOf } from "../policies/policy-step.ts";
import type { Draft } from "./compile-route.ts";

export function withPathMethods(drafts: readonly Draft[]): Draft[] {
  const byPath = new Map<string, Set<string> | "all">();
  for (const draft of drafts) {
    const known = byPath.get(pathOf(draft));
    const { methods } = draft.route;
    if (methods === undefined || known === "all") byPath.set(pathOf(draft), "all");
    else byPath.set(pathOf(draft), new Set([...(known ?? []), ...methods]));
  }
  return drafts.map((draft) => {
    const methods = byPath.get(pathOf(draft));
    if (!methods || methods === "all") return draft;
    const listed = [...methods].sort();
    const variants = draft.route.variants.map((variant) => ({
      ...variant,
      steps: variant.steps.map((step) => withMethods(step, listed)),
    }));
    return { ...draft, route: { ...draft.route, variants } };
  });
}

/** Routes on one path in this sense match the same paths, whatever their conditions. */
function pathOf({ route, shape }: Draft): string {
  return `${route.host ?? ""}/${shape.join("/")}`;
}

function withMethods(step: CompiledStep, methods: readonly string[]): CompiledStep {
  if (!isStepOf("cors", step) || step.options.methods !== undefined) return step;
  const options: CorsOptions = { ...step.options, methods };
  return { ...step, options };
}
