/** GATEWAY_ROUTES, a whole config in one line: `/api/users/* -> https://users.example.com, /api/* -> https://api.example.com`. */

import type { Environment } from "../config/env.ts";
import { ConfigError, type Issue } from "../config/issue.ts";
import type { Source } from "./compile-options.ts";

const ORIGIN = "GATEWAY_ROUTES";

export function readShortRoutes({ routesText = "", variables }: Environment): Source {
  const issues: Issue[] = [];
  const fault = (rule: Issue["rule"], path: string, message: string, fix?: string) =>
    issues.push({ rule, severity: "error", path, message, fix });
  const open = variables.GATEWAY_AUTH;
  const issuer = variables.GATEWAY_JWT_ISSUER;
  const audience = variables.GATEWAY_JWT_AUDIENCE;
  if (open && open !== "none") fault("variable-value", "GATEWAY_AUTH", `expected none, got ${JSON.stringify(open)}.`);
  else if (open && (issuer || audience))
    fault("variable-value", "GATEWAY_AUTH", "none lets everyone in, and GATEWAY_JWT_ISSUER does not.", "Leave one of them out.");
  else if (!open && !(issuer && audience)) {
    const missing = issuer ? "GATEWAY_JWT_AUDIENCE" : audience ? "GATEWAY_JWT_ISSUER" : "GATEWAY_AUTH";
    const fix = "Set GATEWAY_JWT_ISSUER and GATEWAY_JWT_AUDIENCE, or GATEWAY_AUTH=none for everyone.";
    fault("auth-missing", missing, "it must be said who may call.", fix);
  }

  const backends: Record<string, string> = {};
  const entries = routesText.split(/[,\n]/).map((entry) => entry.trim());
  const routes = entries.filter(Boolean).flatMap((entry, index) => {
    const [path, url, ...rest] = entry.split("->").map((part) => part.trim());
    if (!path || !url || rest.length > 0) {
      fault(
        "variable-value",
        `entry ${index + 1}`,
        `can't read ${JSON.stringify(entry)}.`,
        'Write "/path/* -> https://backend.example".',
      );
      return [];
    }
    return [{ path, backend: backendFor(url, backends), auth: issuer ? "jwt" : "none" }];
  });
  if (routes.length === 0 && issues.length === 0) fault("variable-value", "", "it holds no route.");
  if (issues.length > 0) throw new ConfigError(issues, ORIGIN);
  // By reference, so that one build of it serves every environment.
  const jwt = { issuer: "${env.GATEWAY_JWT_ISSUER}", audience: "${env.GATEWAY_JWT_AUDIENCE}" };
  const limit = variables.GATEWAY_LIMIT;
  const value = {
    backends,
    ...(issuer ? { auth: { jwt: { jwt } } } : {}),
    ...(limit === undefined ? {} : { defaults: { limit } }),
    routes,
  };
  return { value, origin: ORIGIN, locate: () => undefined };
}

/** Named after its host; routes to one address share a backend. */
function backendFor(url: string, backends: Record<string, string>): string {
  const base = `to-${url
    .replace(/^\w+:\/\//, "")
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/-$/, "")}`;
  let name = base;
  for (let count = 2; backends[name] !== undefined && backends[name] !== url; count++) name = `${base}-${count}`;
  backends[name] = url;
  return name;
}
