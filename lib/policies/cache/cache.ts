/** `cache`: keeps answers of the backend and gives them to others. What that means is in lib/cache; here the route says it wants it. */
import type { CacheOptions } from "../../contract/caching.ts";
import type { PolicyDefinition } from "../../contract/policy.ts";

export const cache: PolicyDefinition<CacheOptions> = {
  name: "cache",
  phase: "cache",
  refuses: ["not-in-cache"],
  cacheable: true,
  create: (options) => ({ cache: options }),
};
