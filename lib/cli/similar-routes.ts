/** Where no route matched: those that nearly did, and what keeps each from it. */
import { editDistance, nearest } from "../config/nearest.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { Route } from "../engine/route.ts";

export interface NearRoute {
  readonly route: Route;
  /** Why it did not match, as part of a sentence. */
  readonly because: string;
}

const SHOWN = 3;

export function nearRoutes(routes: readonly Route[], ctx: RequestContext): NearRoute[] {
  return routes
    .flatMap((route) => {
      const difference = pathDifference(route, ctx.target.segments) ?? otherDifference(route);
      return difference ? [{ route, ...difference }] : [];
    })
    .sort((a, b) => a.distance - b.distance)
    .slice(0, SHOWN)
    .map(({ route, because }) => ({ route, because }));
}

interface Difference {
  readonly distance: number;
  readonly because: string;
}

/** Undefined where the path fits; false where it is another path altogether. */
function pathDifference({ path, params }: Route, segments: readonly string[]): Difference | undefined | false {
  const pattern = path.slice(1).split("/");
  const hasRest = params.at(-1)?.isRest ?? false;
  if (hasRest) pattern.pop();
  let difference: Difference | undefined;
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index];
    if (segment === undefined) {
      const rest = pattern.slice(index).join("/");
      if (index === 0 || pattern.length - index > 1) return false;
      return rest === "" ? { distance: 1, because: "it ends in a slash" } : { distance: 3, because: `it goes on with /${rest}` };
    }
    if (part.startsWith(":") ? segment !== "" : part === segment) continue;
    if (part === "" && index > 0) return { distance: 3, because: "it ends in a slash and has nothing below" };
    const isNear = !part.startsWith(":") && nearest(segment, [part]) !== undefined;
    if (difference || !isNear) return false;
    difference = { distance: editDistance(segment, part), because: `"${segment}" is not "${part}"` };
  }
  const left = segments.slice(pattern.length);
  if (hasRest || left.length === 0) return difference;
  if (difference || left.length > 1 || pattern.at(-1) === "") return false;
  return left[0] === ""
    ? { distance: 1, because: "it does not end in a slash" }
    : { distance: 2, because: `it has nothing below: ${path}/* would` };
}

/** The path fits, so that something else does not. */
function otherDifference({ host, when }: Route): Difference {
  const wanted = [
    ...(host === undefined ? [] : [`the host ${host}`]),
    ...(when?.headers ?? []).map(([name]) => `the header ${name}`),
    ...(when?.query ?? []).map(([name]) => `the query's ${name}`),
  ];
  return { distance: 0, because: `it asks for ${wanted.join(" and ")}` };
}
