/**
 * Protected resource metadata (RFC 9728): where a client learns whose tokens a path takes. Each path is a resource of its own; its document
 * stands at `/.well-known/oauth-protected-resource` followed by the path (section 3.1), and a 401 names it (section 5.1).
 */
import type { Authenticator } from "../contract/authenticator.ts";
import type { CompiledConfig, CompiledRoute } from "../contract/compiled/config.ts";
import { type LocalResponse, type Refusal, refuse } from "../contract/problem.ts";
import type { GatewayRequest } from "../contract/request.ts";
import type { Matcher } from "../engine/match.ts";
import { HeaderList } from "../http/header-list.ts";
import { parseTarget, type Target } from "../http/target.ts";
import { stepsOfPolicy } from "../policies/policy-step.ts";

const WELL_KNOWN = "/.well-known/oauth-protected-resource";
/** A field of an answer should not grow with what a caller sends. */
const MAX_PATH_LENGTH = 512;

const FOR_SCRIPTS = ["access-control-allow-origin", "*"];
const ANY_FIELD = [
  "access-control-allow-methods",
  "GET, HEAD",
  "access-control-allow-headers",
  "*",
  "access-control-max-age",
  "600",
];

export interface ResourceMetadata {
  /** The address of the document about a path. */
  urlFor(target: Target): string;
  /** The document, where this asks for one that there is. */
  answer(request: GatewayRequest, target: Target, match: Matcher): LocalResponse | Refusal | undefined;
}

/** What there is to say of one route, or of all. */
interface Facts {
  readonly servers: readonly string[];
  readonly scopes: readonly string[];
}

/** Undefined where there is nothing to say, or no address to say it with: only GATEWAY_URL is one, since `Host` is the caller's word. */
export function createResourceMetadata(
  { routes }: Pick<CompiledConfig, "routes">,
  authenticators: ReadonlyMap<string, Authenticator>,
  url: string | undefined,
): ResourceMetadata | undefined {
  const byRoute = new Map(routes.map((route) => [route.id, factsOf(route, authenticators)]));
  const all: Facts = {
    servers: [...new Set([...byRoute.values()].flatMap(({ servers }) => servers))],
    scopes: [...new Set([...byRoute.values()].flatMap(({ scopes }) => scopes))],
  };
  if (url === undefined || all.servers.length === 0) return undefined;

  return {
    urlFor({ path }) {
      // RFC 9728 section 3.1: a slash that only ends the host is left out. A quote would end the parameter that it stands in.
      const resource = path === "/" || path.length > MAX_PATH_LENGTH ? "" : path.replaceAll('"', "%22");
      return `${url}${WELL_KNOWN}${resource}`;
    },
    answer({ method, host, headers }, { raw, path, fault }, match) {
      if ((path !== WELL_KNOWN && !path.startsWith(`${WELL_KNOWN}/`)) || fault) return undefined;
      // What a backend says at a path that was given to it by name goes before.
      const theirs = match(method, host, parseTarget(raw)!, headers);
      if (theirs.kind !== "none" && theirs.route.path.startsWith("/.well-known/")) return undefined;
      const resource = path.slice(WELL_KNOWN.length);
      const found = resource === "" ? undefined : match(method, host, parseTarget(resource)!, headers);
      // Whatever method the path is made for: it is the resource, and this only speaks of it.
      const facts = found ? (found.kind === "none" ? undefined : byRoute.get(found.route.id)) : all;
      if (!facts || facts.servers.length === 0) return undefined;
      // A script that adds a field, as MCP clients add their version, has the browser ask first (Fetch standard, CORS-preflight fetch).
      if (method === "OPTIONS") return { status: 204, headers: new HeaderList([...FOR_SCRIPTS, ...ANY_FIELD]), body: null };
      if (method !== "GET" && method !== "HEAD")
        return refuse("method-not-allowed", { headers: ["allow", "GET, HEAD, OPTIONS"] });
      return document(url + resource, facts);
    },
  };
}

function factsOf(route: CompiledRoute, authenticators: ReadonlyMap<string, Authenticator>): Facts {
  const accepted = stepsOfPolicy("auth", [route]).flatMap(({ options }) => options.accept);
  const scopes = stepsOfPolicy("authorize", [route]).flatMap(({ options }) => options.scopes?.names ?? []);
  const servers = new Set(accepted.flatMap((name) => authenticators.get(name)?.servers ?? []));
  return { servers: [...servers], scopes: servers.size === 0 ? [] : scopes };
}

/** RFC 9728 section 2. Public, and for scripts of any page: it is read before anybody has a token. */
function document(resource: string, { servers, scopes }: Facts): LocalResponse {
  const body = {
    resource,
    authorization_servers: servers,
    bearer_methods_supported: ["header"],
    ...(scopes.length > 0 ? { scopes_supported: [...new Set(scopes)].sort() } : {}),
  };
  const fields = ["content-type", "application/json", "cache-control", "max-age=300", ...FOR_SCRIPTS];
  return { status: 200, headers: new HeaderList(fields), body: `${JSON.stringify(body)}\n` };
}
