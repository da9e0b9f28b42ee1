/** GATEWAY_ROUTES, a whole config in one line: `/api/users/* -> https://users.example.com, /api/* -> https://api.example.com`. */
import type { Source } from "./compile.ts";
import type { Environment } from "./env.ts";
import { ConfigError, type Issue } from "./issue.ts";

const ORIGIN = "GATEWAY_ROUTES";
const NOT_BUILT = ["GATEWAY_JWT_ISSUER", "GATEWAY_JWT_AUDIENCE"];

export function readShortRoutes({ routesText = "", variables }: Environment): Source {
  const issues: Issue[] = [];
  const fault = (rule: Issue["rule"], path: string, message: string, fix?: string) =>
    issues.push({ rule, severity: "error", path, message, fix });
  for (const name of NOT_BUILT)
    if (variables[name]) fault("not-built", name, `\`${name}\` is part of the design but not built in this version.`);
  const auth = variables.GATEWAY_AUTH;
  if (!auth) fault("auth-missing", "GATEWAY_AUTH", "it must be said who may call.", "Set GATEWAY_AUTH=none for everyone.");
  else if (auth !== "none") fault("variable-value", "GATEWAY_AUTH", `expected none, got ${JSON.stringify(auth)}.`);

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
    return [{ path, backend: backendFor(url, backends), auth: "none" }];
  });
  if (routes.length === 0 && issues.length === 0) fault("variable-value", "", "it holds no route.");
  if (issues.length > 0) throw new ConfigError(issues, ORIGIN);
  const limit = variables.GATEWAY_LIMIT;
  const defaults = limit === undefined ? {} : { defaults: { limit } };
  return { value: { backends, ...defaults, routes }, origin: ORIGIN, locate: () => undefined };
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
