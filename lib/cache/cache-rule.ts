/** The cache of a route and method as the engine uses it. */

import type { CacheRule } from "../contract/caching.ts";
import type { Deps } from "../contract/deps.ts";
import { renderTemplate } from "../contract/render-template.ts";
import type { Step } from "../engine/pipeline.ts";
import type { Route } from "../engine/route.ts";
import { createCacheKeys, unkeyedStep } from "./cache-key.ts";

/** Undefined where the route has none, or where a step's part in its answers is not known. */
export function createCacheRule(
  route: Route,
  steps: readonly Step[],
  customNames: ReadonlySet<string>,
  meaning: () => string,
  deps: Pick<Deps, "log">,
): CacheRule | undefined {
  const options = steps.find(({ policy }) => policy.cache)?.policy.cache;
  if (!options) return undefined;
  const unkeyed = unkeyedStep(steps, customNames);
  if (unkeyed) {
    deps.log.warn("nothing is cached on a route: a custom policy shapes its requests or answers and does not say by what", {
      route: route.position,
      policy: unkeyed.name,
      fix: "give it `cacheKey`, or `cacheable: true` where it does the same for everybody",
    });
    return undefined;
  }
  const shaping = {
    onRequest: steps.filter(({ policy }) => policy.onRequest),
    onResponse: steps.filter(({ policy }) => policy.onResponse),
  };
  const { tags, ttlMs, cookies, vary, perConsumer } = options;
  const mindsCookies = ttlMs !== null && cookies === "bypass" && !vary.includes("cookie");
  return {
    ...createCacheKeys(options, route, meaning(), shaping),
    options,
    // A consumer's own answers are nobody else's.
    mindsCookies: (exchange) => mindsCookies && !(perConsumer && exchange.consumer),
    tagsFor: (exchange) => tags.map((tag) => renderTemplate(tag, exchange, "text")),
  };
}
