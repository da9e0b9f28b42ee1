/**
 * `cache.cdn` lets caches in front of the gateway answer without asking it. So it may only stand on routes that treat every caller
 * alike: whoever is kept out here would be served there, and what is shaped for one would go to all.
 */

import type { Report } from "../../config/issue.ts";
import type { CompiledBackend } from "../../contract/compiled/backend.ts";
import type { CompiledStep } from "../../contract/compiled/config.ts";
import type { Template } from "../../contract/template.ts";
import { isStepOf } from "../../policies/policy-step.ts";
import type { Draft } from "../compile-route.ts";
import { policySchemaOf } from "../policy-steps.ts";

export function reportSharedCaches(drafts: readonly Draft[], backends: readonly CompiledBackend[], report: Report): void {
  for (const draft of drafts) {
    const { route, place } = draft;
    const steps = route.variants.flatMap((variant) => variant.steps);
    if (!steps.some(isForCdn)) continue;
    const complain = (why: string) =>
      report.error(
        "shared-cache",
        [...place, "cache"],
        `with \`cdn\` a cache in front answers without asking the gateway, and ${why}`,
        "Without `cdn` the gateway's own cache asks each time.",
      );
    for (const step of new Map(steps.map((each) => [each.policy, each])).values()) {
      const why = faultOf(step);
      if (why !== undefined) complain(why);
    }
    const { canary, balance }: Partial<CompiledBackend> = backends[route.backend ?? -1] ?? {};
    const asked = [route.backend, route.fallback].flatMap((index) => backends[index ?? -1] ?? []);
    if (asked.some(({ targets }) => targets.some(({ where }) => where)))
      complain("would give what is for one place, by `where`, to callers of others.");
    if (canary) complain("would give the canary's answers to the others.");
    if (balance?.by === "hash" && balance.of === "cookie")
      complain("would give one caller's cookie for `balance` to the others.");
    if (rewriteOf(draft).some(isOfCaller)) complain("can't tell the values of the request apart that `rewrite` takes.");
    const sibling = drafts.find((other) => isOnSamePath(draft, other) && (other.route.when?.headers.length ?? 0) > 0);
    if (sibling) complain(`does not know the fields by which \`when\` of ${sibling.route.position} chooses the route.`);
  }
}

function isForCdn(step: CompiledStep): boolean {
  return isStepOf("cache", step) && step.options.cdn !== false;
}

/** Ends the sentence "a cache in front answers without asking the gateway, and …". */
function faultOf(step: CompiledStep): string | undefined {
  const { policy, custom } = step;
  if (custom) return `the custom policy "${policy}" would not be asked.`;
  if (policySchemaOf(policy)?.isPublic) return undefined;
  if (policy === "auth") return "would let in whom `auth` keeps out.";
  if (policy === "limit") return "would give one caller's `RateLimit` fields to the others, and count nobody.";
  if (isStepOf("cors", step)) {
    return step.options.origins === "*"
      ? undefined
      : 'would give the CORS fields for one origin to the scripts of another; only `cors: "*"` is the same for all.';
  }
  if (isStepOf("headers", step)) {
    const { request, response } = step.options;
    const values = [request, response].flatMap(({ set, append }) => [...set, ...append].map(([, value]) => value));
    return values.some((value) => value.some(isOfCaller))
      ? "would give one caller's values in `headers` to the others."
      : undefined;
  }
  return `would not ask \`${policy}\`.`;
}

/** What of the request is not in its URL. */
function isOfCaller(part: Template[number]): boolean {
  return typeof part === "object" && "from" in part && part.from !== "params" && part.from !== "query";
}

function rewriteOf({ route }: Draft): Template {
  return route.rewrite?.kind === "path" ? route.rewrite.template : [];
}

function isOnSamePath({ route, shape }: Draft, other: Draft): boolean {
  return route.host === other.route.host && shape.join("/") === other.shape.join("/");
}
