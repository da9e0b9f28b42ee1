/** Builds the routes of a config with their pipelines, and the one that shapes answers where no route matched. */
import { createRoute, type Route, UNROUTED } from "../engine/route.ts";
import { buildPipeline, type PipelineSource } from "./build-pipeline.ts";

export interface Routes {
  /** In the order of the config. */
  readonly routes: readonly Route[];
  readonly unrouted: Route;
}

export function buildRoutes(source: PipelineSource): Routes {
  const { config, backends } = source;
  const routes = config.routes.map((compiled) => {
    const backend = compiled.backend === undefined ? undefined : backends[compiled.backend];
    return createRoute(compiled, (route, variant) => buildPipeline(source, route, variant, backend));
  });
  const unrouted = createRoute(UNROUTED, (route, variant) =>
    buildPipeline(source, route, { ...variant, steps: config.unrouted }, undefined),
  );
  return { routes, unrouted };
}
