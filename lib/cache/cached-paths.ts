/** Which paths may have stored answers: a change elsewhere need not empty anything, which may cost a trip to a store. */

import type { Route } from "../engine/route.ts";
import { fitsShape } from "../http/path-shape.ts";
import type { Target } from "../http/target.ts";

export function cachedPaths(routes: readonly Route[]): (target: Target) => boolean {
  const cached = routes.filter((route) => route.pipelineFor("GET").cache?.options.store);
  const shapes = cached.map(({ path }) => path.slice(1).split("/").map(shapeOf));
  return ({ segments }) => shapes.some((shape) => fitsShape(shape, segments));
}

function shapeOf(segment: string): string {
  if (segment.endsWith("*")) return "*";
  return segment.startsWith(":") ? ":" : segment;
}
