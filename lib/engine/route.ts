/** A route as the engine runs it: the compiled route with its pipelines built. Immutable once loaded. */
import type { CompiledRoute, CompiledVariant } from "../contract/compiled/config.ts";
import { PRIORITIES } from "../contract/load.ts";
import { pathParams } from "../contract/path-params.ts";
import type { RouteInfo } from "../contract/route-info.ts";
import type { Pipeline } from "./pipeline.ts";

export interface Route extends RouteInfo {
  /** The pipeline for a method; the same object for every request. */
  pipelineFor(method: string): Pipeline;
}

export function createRoute(
  { variants, priority = "normal", ...compiled }: CompiledRoute,
  build: (route: Route, variant: CompiledVariant) => Pipeline,
): Route {
  const byMethod = new Map<string, Pipeline>();
  let others: Pipeline | undefined;
  const route: Route = Object.freeze({
    ...compiled,
    priority: PRIORITIES.indexOf(priority),
    params: pathParams(compiled.path),
    pipelineFor: (method: string) => byMethod.get(method) ?? others!,
  });
  for (const variant of variants) {
    const pipeline = build(route, variant);
    if (variant.methods === undefined) others = pipeline;
    for (const method of variant.methods ?? []) byMethod.set(method, pipeline);
  }
  // HEAD is GET without the body (RFC 9110 section 9.3.2): it is treated as GET is.
  const get = byMethod.get("GET");
  if (get && !byMethod.has("HEAD")) byMethod.set("HEAD", get);
  return route;
}

/** Stands in where no route matched: it shapes such answers and serves nothing. */
export const UNROUTED: CompiledRoute = {
  id: "",
  position: "defaults",
  path: "/*",
  guard: "strict",
  encodedSlash: "refuse",
  variants: [{ maxBodyBytes: 0, steps: [] }],
};
