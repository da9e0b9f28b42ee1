/** CORS preflights (Fetch standard, CORS-preflight request): finds the route that a preflight asks about, and grants its methods. */
import type { CorsRule } from "../contract/policy.ts";
import { AskedFields } from "../http/asked-fields.ts";
import { pathFault } from "./guard.ts";
import type { Match, Matcher } from "./match.ts";
import type { RequestContext } from "./request-context.ts";
import type { Route } from "./route.ts";

/** The route of the requested method. `ctx.granted` stays undefined where that route has no CORS. */
export type EnterPreflight = (ctx: RequestContext, requestedMethod: string) => Match;

/** The method that a preflight asks about; undefined for any other request. */
export function preflightMethod({ request, facts }: RequestContext): string | undefined {
  if (request.method !== "OPTIONS" || !facts.headers.has("origin")) return undefined;
  return facts.headers.get("access-control-request-method");
}

/** A browser keeps the granted methods and asks no more, so the route of each method must grant it. */
export function createPreflight(match: Matcher, unrouted: Route): EnterPreflight {
  return (ctx, requestedMethod) => {
    const { request, target, facts } = ctx;
    const fields = new AskedFields(facts.headers, facts.headers.all("access-control-request-headers").join(","));
    const find = (method: string) => match(method, request.host, target, fields);
    const found = find(requestedMethod);
    const [route, params] = found.kind === "none" ? [unrouted, {}] : [found.route, found.params];
    const rule = corsOf(route, requestedMethod);
    if (pathFault(target, route) || !rule) return found;
    ctx.setRoute(route, params, requestedMethod);
    const origin = facts.headers.get("origin")!;
    ctx.granted = (rule.methods ?? [requestedMethod]).filter((method) => {
      const own = method === requestedMethod ? found : find(method);
      const { allows, credentials } = (own.kind === "route" && corsOf(own.route, method)) || NO_CORS;
      return allows(origin) && (credentials || !rule.credentials);
    });
    return found;
  };
}

/** `cors` is the first step of a pipeline. */
function corsOf(route: Route, method: string): CorsRule | undefined {
  const [first] = route.pipelineFor(method).decide;
  return first?.enforce ? first.policy.cors : undefined;
}

const NO_CORS: Pick<CorsRule, "allows" | "credentials"> = { credentials: false, allows: () => false };
