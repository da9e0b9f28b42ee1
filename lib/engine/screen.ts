/** Screens a request by its head: finds its route, and refuses what no policy has to be asked about. */
import type { Load } from "../contract/load.ts";
import { type Refusal, refuse } from "../contract/problem.ts";
import { UNREADABLE_TARGET } from "../http/target.ts";
import { pathFault } from "./guard.ts";
import type { Match, Matcher, StricterReader } from "./match.ts";
import { shedRequest } from "./overload.ts";
import { createPreflight, preflightMethod } from "./preflight.ts";
import type { RequestContext } from "./request-context.ts";
import type { Route } from "./route.ts";

export interface ScreenOptions {
  readonly match: Matcher;
  readonly stricterReading: StricterReader;
  readonly unrouted: Route;
  readonly load: Load;
  /** The gateway's pseudonym in Via. */
  readonly name: string;
  /** Whether the host can serve WebSockets. */
  readonly upgrades: boolean;
}

export type Screen = (ctx: RequestContext) => Refusal | undefined;

export function createScreen(options: ScreenOptions): Screen {
  const { match, load } = options;
  const enterPreflight = createPreflight(match, options.unrouted);
  return (ctx) => {
    const { request, target, facts } = ctx;
    if (target === UNREADABLE_TARGET) return refuse("bad-request", { detail: "The request target is not a path." });
    const requestedMethod = preflightMethod(ctx);
    const requested = requestedMethod === undefined ? undefined : enterPreflight(ctx, requestedMethod);
    if (ctx.granted) return undefined;
    const found = match(request.method, request.host, target, facts.headers);
    if (found.kind !== "none") {
      // A refused preflight has the CORS fields of the route that it asks about, or none.
      if (found.kind === "method-not-allowed" && requested?.kind === "route")
        ctx.setRoute(requested.route, requested.params, requestedMethod);
      else ctx.setRoute(found.route, found.params);
      const shed = shedRequest(found.route, load);
      if (shed) return shed;
    }
    const fault = pathFault(target, ctx.route);
    if (fault) return refuse("bad-request", { detail: `There is ${fault}.` });
    return refuseMatch(ctx, found, options.stricterReading) ?? refuseHead(ctx, options);
  };
}

/** What the matched route does not serve. */
function refuseMatch(
  { request, target, facts }: RequestContext,
  found: Match,
  stricterReading: StricterReader,
): Refusal | undefined {
  if (found.kind === "none") return refuse("route-not-found");
  const { route } = found;
  if (route.stricter !== undefined) {
    const stricter = stricterReading(route, request.method, request.host, target, facts.headers);
    if (stricter) return readAnotherWay(stricter);
  }
  if (found.kind === "method-not-allowed") return refuse("method-not-allowed", { headers: ["allow", found.allow.join(", ")] });
  // It would send the caller's own credentials back to the script that asked (RFC 9110 section 9.3.8).
  if (request.method === "TRACE") return refuse("method-not-allowed", { headers: ["allow", allowedBy(route)] });
  return undefined;
}

/** What the header fields tell of loops, upgrades and the length of the body. */
function refuseHead({ facts, pipeline }: RequestContext, { name, upgrades }: ScreenOptions): Refusal | undefined {
  if (facts.via?.includes(name)) return refuse("loop-detected");
  if (!upgrades && facts.upgrade?.toLowerCase() === "websocket") return refuse("upgrade-unsupported");
  const { maxBodyBytes } = pipeline;
  if (facts.contentLength !== undefined && facts.contentLength > maxBodyBytes)
    return refuse("payload-too-large", { detail: `The body may have at most ${maxBodyBytes} bytes.` });
  return undefined;
}

/** Two readers of one path: the laxer route's rules would have judged this spelling. */
function readAnotherWay(stricter: Route | "climbs"): Refusal {
  const whose = stricter === "climbs" ? "no route's" : `that of ${stricter.position} (${stricter.path}), which asks for more`;
  return refuse("route-not-found", { reason: `to a server that reads paths more laxly the path is ${whose}` });
}

function allowedBy({ methods }: Route): string {
  return (methods ?? ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]).join(", ");
}
