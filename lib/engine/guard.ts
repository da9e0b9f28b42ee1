/** The guard: refuses a request whose host, header fields or path a backend could read in another way than the gateway. */
import { type Refusal, refuse } from "../contract/problem.ts";
import { isHost } from "../http/host.ts";
import type { Target } from "../http/target.ts";
import type { RequestContext } from "./request-context.ts";
import type { Route } from "./route.ts";

/** A refusal of what no route could judge. HTTP/1.0 may come without a host. */
export function guardRequest({ request: { host }, facts: { fault } }: RequestContext): Refusal | undefined {
  if (host !== "" && !isHost(host)) return refuse("bad-request", { detail: "There is a Host that is not one host." });
  return fault === undefined ? undefined : refuse("bad-request", { detail: `There is ${fault}.` });
}

/** The fault of a path that could mean another thing to the route's backend than it did to the matcher. */
export function pathFault(target: Target, route: Route): string | undefined {
  // A lenient guard forwards byte for byte. A rewritten path is put together anew: `..` would climb out of it.
  if (route.guard === "lenient" && route.rewrite?.kind !== "path") return undefined;
  if (target.fault) return target.fault;
  return target.hasEncodedSlash && route.encodedSlash === "refuse" ? "an encoded slash in the path" : undefined;
}
