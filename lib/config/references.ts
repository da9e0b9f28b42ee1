/**
 * References to variables: how they stand in a compiled config, and the one place that puts their values in at start. Values
 * are put in as they are: a secret that happens to hold `${` is text, never read as a reference or a request value.
 */
import type { CompiledConfig } from "../contract/compiled/config.ts";
import { ConfigError, type Issue } from "./issue.ts";
import { type Kind, VALUE_KINDS, withScheme } from "./value-kinds.ts";

export interface EnvPart {
  readonly env: string;
  readonly fallback?: string;
}

/** Stands in the unresolved form wherever a value depends on variables. */
export interface Reference {
  readonly $ref: readonly (string | EnvPart)[];
  readonly as: Kind;
  /** Where it stands in the config, for messages. */
  readonly at: string;
}

export type Variables = Readonly<Record<string, string | undefined>>;

export function isReference(value: unknown): value is Reference {
  return typeof value === "object" && value !== null && "$ref" in value;
}

/** The same config with every reference replaced by its value, frozen all the way down. Throws a ConfigError that names every absent variable. */
export function resolveReferences(config: CompiledConfig, variables: Variables, origin = "config"): CompiledConfig {
  const issues: Issue[] = [];
  const resolved = resolve(config, variables, issues) as CompiledConfig;
  // What stands in `defaults` or a backend is met once for each route.
  if (issues.length > 0)
    throw new ConfigError([...new Map(issues.map((issue) => [`${issue.path} ${issue.message}`, issue])).values()], origin);
  const trust = Object.freeze({
    ...resolved.trust,
    proxies: trustedProxies(resolved, variables),
    frontends: Object.freeze(resolved.trust.frontends.flat()),
  });
  return Object.freeze({ ...resolved, trust, maxBodyBytes: largestBody(resolved, variables) });
}

/** Unresolved there is a list for each entry, since a variable may hold several. env.ts has checked GATEWAY_TRUST_PROXY. */
function trustedProxies({ trust }: CompiledConfig, { GATEWAY_TRUST_PROXY: more }: Variables): readonly string[] {
  const lists = trust.proxies as readonly (string | readonly string[])[];
  return Object.freeze([...lists.flat(), ...((more && VALUE_KINDS.ranges.read(more)) || [])]);
}

function resolve(value: unknown, variables: Variables, issues: Issue[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isReference(value)) return readReference(value, variables, issues);
  if (Array.isArray(value)) return Object.freeze(value.map((item) => resolve(item, variables, issues)));
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, variables, issues)])));
}

function readReference({ $ref, as, at }: Reference, variables: Variables, issues: Issue[]): unknown {
  const names = $ref.flatMap((part) => (typeof part === "string" ? [] : [part.env]));
  // An empty variable counts as absent (as `:-` in a shell): `NAME=` in a copied .env.example must not become an empty secret.
  const absent = $ref.filter((part) => typeof part !== "string" && !variables[part.env] && part.fallback === undefined);
  for (const part of absent) {
    const { env } = part as EnvPart;
    issues.push({
      rule: "reference-absent",
      severity: "error",
      path: at,
      message: `the variable ${env} is not set.`,
      fix: `Set it in the environment or in .env, or give a fallback: \`\${env.${env}:-…}\`.`,
    });
  }
  if (absent.length > 0) return undefined;
  const text = $ref.map((part) => (typeof part === "string" ? part : variables[part.env] || part.fallback!)).join("");
  const value = VALUE_KINDS[as].read(text);
  if (value === undefined) {
    // The value may be a secret: the message never shows it.
    const message = `the value of ${names.join(" and ")} does not fit here: expected ${VALUE_KINDS[as].expects}.`;
    const fix = withScheme(text, VALUE_KINDS[as]) === undefined ? undefined : "The scheme is missing: https://.";
    issues.push({ rule: "reference-value", severity: "error", path: at, message, fix });
  }
  // "none" has no value: it is absent from compiled data.
  return value ?? undefined;
}

/**
 * The largest `maxBody` that a config may have in force, for a host that has to set a bound of its own when it is built. Variables
 * are read at start: a size that hangs on one that is absent now does not count.
 */
export function largestBody(config: CompiledConfig, variables: Variables): number {
  const sizes = config.routes.flatMap(({ variants }) => variants.map(({ maxBodyBytes }) => resolve(maxBodyBytes, variables, [])));
  return sizes.reduce(
    (largest: number, size) => (typeof size === "number" ? Math.max(largest, size) : largest),
    config.maxBodyBytes,
  );
}

/** Every reference in a compiled config. */
export function* referencesIn(value: unknown): Iterable<Reference> {
  if (typeof value !== "object" || value === null) return;
  if (isReference(value)) yield value;
  else for (const item of Object.values(value)) yield* referencesIn(item);
}
