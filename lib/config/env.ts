/** The one place that reads the environment: the process's own variables over `.env.local` over `.env`. */
import { join } from "node:path";
import { parseEnv } from "node:util";
import { ConfigError, type Issue } from "./issue.ts";
import { readTextFile } from "./text-file.ts";
import { VALUE_KINDS } from "./value-kinds.ts";

/** What needs a shared store fails a build for production, and is warned of elsewhere. */
export type RedisOnVercel = "set" | "absent" | "absent-in-production";

export interface Environment {
  /** Everything, for references in the config. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly port: number;
  /** Where it is not set, the host chooses: loopback in the demo and in dev, every interface in start. */
  readonly host: string | undefined;
  /** The public origin, for absolute links; never taken from `Host`. */
  readonly url: string | undefined;
  /** The newest first; each is 32 bytes. */
  readonly secrets: readonly Uint8Array[];
  readonly adminToken: string | undefined;
  /** What Vercel's cron brings, under Vercel's own name for it: it admits to a run of the health checks alone. */
  readonly cronSecret: string | undefined;
  /** What a scraper of metrics brings: it admits to those alone. */
  readonly metricsToken: string | undefined;
  readonly dataDir: string;
  /** A file in MMDB format, for the Node host. */
  readonly geoDatabase: string | undefined;
  /** Whether GATEWAY_TRUST_PROXY names proxies. */
  readonly trustsProxy: boolean;
  /** `budgetMs` is how long one trip to it may take. */
  readonly redis: { readonly url: string; readonly token: string; readonly budgetMs: number } | undefined;
  /** Names in Redis begin with it, so that a preview never spends or revokes what is production's. */
  readonly storePrefix: string;
  /** True on Vercel, at build and at run time. */
  readonly vercel: boolean;
  readonly vercelEnv: string | undefined;
  /** By VERCEL_ENV on Vercel, by NODE_ENV elsewhere. */
  readonly production: boolean;
  /** Of Vercel's regions, that of the function that runs. */
  readonly region: string | undefined;
  readonly configFile: string | undefined;
  readonly configText: string | undefined;
  readonly routesText: string | undefined;
  /** Drawn once per build where there is no GATEWAY_SECRET; Next inlines it into the two server bundles. */
  readonly buildKey: string | undefined;
}

/** Reads anew at each call, so that a reload sees changed files. Throws a ConfigError that names every variable that can't be used. */
export function readEnvironment(cwd = process.cwd()): Environment {
  return parseEnvironment({ ...readEnvFile(cwd, ".env"), ...readEnvFile(cwd, ".env.local"), ...process.env });
}

/** Whether this is `next dev`. Literally so: Next puts the value in place of the expression. */
export function isDevelopment(): boolean {
  return process.env.NODE_ENV !== "production";
}

/** What a build for Vercel has to know of it. A check for Vercel from elsewhere is one for production. */
export function redisOnVercel({ redis, vercelEnv = "production" }: Environment): RedisOnVercel {
  if (redis) return "set";
  return vercelEnv === "production" ? "absent-in-production" : "absent";
}

function readEnvFile(cwd: string, name: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readTextFile(join(cwd, name), name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}

/** An empty variable counts as absent: `NAME=` in a copied .env.example says nothing. */
export function parseEnvironment(given: NodeJS.Dict<string>): Environment {
  const variables: Record<string, string | undefined> = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== ""),
  );
  const issues: Issue[] = [];
  const fault = (name: string, message: string) =>
    issues.push({ rule: "variable-value", severity: "error", path: name, message });
  checkTrustedProxies(variables.GATEWAY_TRUST_PROXY, fault);
  const environment: Environment = {
    variables,
    port: readPort(variables.PORT, fault),
    host: variables.HOST,
    url: readOrigin(variables.GATEWAY_URL, fault),
    secrets: readSecrets(variables.GATEWAY_SECRET, fault),
    adminToken: readToken("GATEWAY_ADMIN_TOKEN", variables.GATEWAY_ADMIN_TOKEN, "`frontdesk init` writes one.", fault),
    cronSecret: readLesserToken("CRON_SECRET", variables.CRON_SECRET, "scheduler", variables.GATEWAY_ADMIN_TOKEN, fault),
    metricsToken: readLesserToken(
      "GATEWAY_METRICS_TOKEN",
      variables.GATEWAY_METRICS_TOKEN,
      "scraper",
      variables.GATEWAY_ADMIN_TOKEN,
      fault,
    ),
    dataDir: variables.GATEWAY_DATA_DIR ?? ".frontdesk",
    geoDatabase: variables.GATEWAY_GEO_DATABASE,
    trustsProxy: variables.GATEWAY_TRUST_PROXY !== undefined,
    redis: readRedis(variables, fault),
    storePrefix: variables.GATEWAY_STORE_PREFIX ?? storePrefixOf(variables),
    vercel: variables.VERCEL === "1",
    vercelEnv: variables.VERCEL_ENV,
    production: (variables.VERCEL === "1" ? variables.VERCEL_ENV : variables.NODE_ENV) === "production",
    region: variables.VERCEL_REGION,
    configFile: variables.GATEWAY_CONFIG_FILE,
    configText: variables.GATEWAY_CONFIG,
    routesText: variables.GATEWAY_ROUTES,
    // Literally so: Next puts the value in place of this expression.
    buildKey: process.env.FRONTDESK_BUILD_KEY,
  };
  if (issues.length > 0) throw new ConfigError(issues, "environment");
  return environment;
}

/** By project and Vercel environment, where GATEWAY_STORE_PREFIX does not say it. */
export function storePrefixOf(variables: NodeJS.Dict<string>): string {
  return `fd:${variables.GATEWAY_NAME ?? variables.VERCEL_PROJECT_ID ?? "frontdesk"}:${variables.VERCEL_ENV ?? "development"}:`;
}

const STANDARD_BUDGET_MS = 80;

type Fault = (name: string, message: string) => void;

/** Read where references are resolved: it adds to the config's `trust.proxies`. */
function checkTrustedProxies(text: string | undefined, fault: Fault): void {
  const { expects, read } = VALUE_KINDS.ranges;
  if (text !== undefined && read(text) === undefined)
    fault("GATEWAY_TRUST_PROXY", `expected ${expects}, or several separated by commas, got ${JSON.stringify(text)}.`);
}

function readPort(text: string | undefined, fault: Fault): number {
  if (text === undefined) return 4000;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  fault("PORT", `expected a port from 0 to 65535, got ${JSON.stringify(text)}.`);
  return 0;
}

function readOrigin(text: string | undefined, fault: Fault): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.pathname === "/" && !url.search && !url.hash && !url.username)
    return url.origin;
  fault(
    "GATEWAY_URL",
    `expected an http or https URL without a path, such as https://api.example.com, got ${JSON.stringify(text)}.`,
  );
  return undefined;
}

/** Messages never show a secret, not even a wrong one. */
function readSecrets(text: string | undefined, fault: Fault): Uint8Array[] {
  if (text === undefined) return [];
  const secrets = text.split(",").map((secret) => secret.trim());
  if (!secrets.every((secret) => /^[A-Za-z0-9_-]{43}=?$/.test(secret))) {
    fault(
      "GATEWAY_SECRET",
      "expected 32 random bytes in base64url (43 characters), or two of them as `new,old`. `frontdesk init` writes one.",
    );
    return [];
  }
  return secrets.map((secret) => Buffer.from(secret, "base64url"));
}

function readToken(name: string, text: string | undefined, fix: string, fault: Fault): string | undefined {
  if (text !== undefined && !/^[\x21-\x7e]{16,}$/.test(text))
    fault(name, `expected at least 16 visible ASCII characters. ${fix}`);
  return text;
}

/** A token that admits its bearer to one thing. */
function readLesserToken(
  name: string,
  text: string | undefined,
  bearer: string,
  adminToken: string | undefined,
  fault: Fault,
): string | undefined {
  if (text !== undefined && text === adminToken)
    fault(name, `it is the admin token: every ${bearer} that has it could do what the operator can.`);
  return readToken(name, text, "`openssl rand -hex 16` draws some.", fault);
}

function readBudget(text: string | undefined, fault: Fault): number {
  const { expects, read } = VALUE_KINDS.wait;
  const ms = text === undefined ? STANDARD_BUDGET_MS : read(text);
  if (ms !== undefined) return ms;
  fault("GATEWAY_STORE_BUDGET", `expected ${expects}, got ${JSON.stringify(text)}.`);
  return STANDARD_BUDGET_MS;
}

function readRedis(variables: NodeJS.Dict<string>, fault: Fault): Environment["redis"] {
  const budgetMs = readBudget(variables.GATEWAY_STORE_BUDGET, fault);
  for (const [urlName, tokenName] of [
    ["UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"],
    ["KV_REST_API_URL", "KV_REST_API_TOKEN"],
  ] as const) {
    const [url, token] = [variables[urlName], variables[tokenName]];
    if (url === undefined && token === undefined) continue;
    if (url === undefined || token === undefined)
      fault(url === undefined ? urlName : tokenName, `it is missing, while ${url === undefined ? tokenName : urlName} is set.`);
    else if (!/^https?:\/\//.test(url) || !URL.canParse(url))
      fault(urlName, "expected the http or https URL of Redis's REST API.");
    else return { url, token, budgetMs };
    return undefined;
  }
  return undefined;
}
