/**
 * Signed assertions: short-lived JWTs (RFC 7519) by which a backend that can be reached on other ways too knows that the gateway
 * sent a request, and for whom. docs/assertions.md has how backends verify them.
 */
import { randomBytes } from "node:crypto";
import type { Environment } from "../config/env.ts";
import { ConfigError, type Issue } from "../config/issue.ts";
import { claimAt } from "../contract/claims.ts";
import type { CompiledAssertion, CompiledBackend } from "../contract/compiled/backend.ts";
import type { Clock } from "../contract/deps.ts";
import type { Consumer } from "../contract/request.ts";
import { createSigningKeys, type Jwks, type SigningKeys } from "../crypto/signing-keys.ts";
import { Generations } from "../stores/memory/generations.ts";

/** What one backend is told of callers. */
export interface Assertion {
  /** The field that it stands in. A caller's own never passes. */
  readonly field: string;
  valueFor(consumer: Consumer): string;
}

export interface Assertions {
  /** By the name of the backend. */
  readonly byBackend: ReadonlyMap<string, Assertion>;
  /** Undefined where no backend asks for assertions. */
  readonly jwks: Jwks | undefined;
}

/** For each backend, of each of two generations: some thousand assertions. One that is forgotten is signed anew. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

type AskingBackend = Pick<CompiledBackend, "name" | "assertion">;

/** Throws a ConfigError where a backend asks for assertions and there is nothing to sign them with, or nobody to sign for. */
export function createAssertions(
  { backends }: { readonly backends: readonly AskingBackend[] },
  environment: Pick<Environment, "secrets" | "adminToken" | "url">,
  now: Clock["now"],
): Assertions {
  const asking = backends.flatMap(({ name, assertion }) => (assertion ? [{ name, assertion }] : []));
  if (asking.length === 0) return { byBackend: new Map(), jwks: undefined };
  const secrets = secretsOf(environment);
  const issues = asking.flatMap(({ name, assertion }) => [
    ...(secrets ? [] : [missing(name, "it can't be signed: neither GATEWAY_SECRET nor GATEWAY_ADMIN_TOKEN is set.", FIX_SECRET)]),
    ...((assertion.issuer ?? environment.url) ? [] : [missing(name, "it has no issuer: GATEWAY_URL is not set.", FIX_ISSUER)]),
  ]);
  if (!secrets || issues.length > 0) throw new ConfigError(issues, "config");
  const keys = createSigningKeys(secrets);
  const byBackend = new Map(
    asking.map(({ name, assertion }) => [name, createAssertion(assertion, assertion.issuer ?? environment.url!, keys, now)]),
  );
  return { byBackend, jwks: keys.jwks };
}

const FIX_SECRET = "`frontdesk init` writes a GATEWAY_SECRET.";
const FIX_ISSUER = "Set GATEWAY_URL to the gateway's public address, or write `issuer`.";

function missing(backend: string, message: string, fix: string): Issue {
  return { rule: "assertion-unsigned", severity: "error", path: `backends.${backend}.assertion`, message, fix };
}

/** Whoever has the operator's token may do more than sign, so that it serves where there is no secret. */
function secretsOf({
  secrets: [newest, ...older],
  adminToken,
}: Pick<Environment, "secrets" | "adminToken">): readonly [Uint8Array, ...Uint8Array[]] | undefined {
  if (newest) return [newest, ...older];
  return adminToken === undefined ? undefined : [Buffer.from(adminToken)];
}

function createAssertion(
  { audience, ttlSeconds, header, claims }: CompiledAssertion,
  issuer: string,
  { kid, sign }: SigningKeys,
  now: Clock["now"],
): Assertion {
  const head = encode({ alg: "EdDSA", typ: "JWT", kid });
  const scheme = header === "authorization" ? "Bearer " : "";
  /** By what is asserted; in the order in which they were signed. */
  const kept = new Generations<{ readonly value: string; readonly renewMs: number }>({
    maxBytes: MAX_KEPT_BYTES,
    maxAgeMs: ttlSeconds * 500,
  });

  function signFor(asserted: object, nowMs: number): string {
    const iat = Math.floor(nowMs / 1000);
    const jti = randomBytes(16).toString("base64url");
    const payload = encode({ iss: issuer, aud: audience, iat, exp: iat + ttlSeconds, jti, ...asserted });
    return `${scheme}${head}.${payload}.${sign(`${head}.${payload}`)}`;
  }

  return {
    field: header,
    valueFor(consumer) {
      const asserted = assertedOf(consumer, claims);
      const key = JSON.stringify(asserted);
      const nowMs = now();
      const known = kept.get(key, nowMs);
      if (known && nowMs < known.renewMs) return known.value;
      const value = signFor(asserted, nowMs);
      // Used for half of its life, so that what a backend gets is good for the other half at least.
      kept.set(key, { value, renewMs: nowMs + ttlSeconds * 500 }, 2 * value.length, nowMs);
      return value;
    },
  };
}

/** Chosen claims stand under names of their own, so that none takes the place of `sub`, `aud` or `exp`. */
function assertedOf({ id, tier, scopes, roles, claims = {} }: Consumer, names: CompiledAssertion["claims"]): object {
  const chosen = names.flatMap(({ name }) => {
    const value = claimAt(claims, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    sub: id,
    // As in access tokens (RFC 8693 section 4.2): what verifies those reads it without being told.
    ...(scopes?.length ? { scope: scopes.join(" ") } : {}),
    ...(roles?.length ? { roles } : {}),
    ...(tier === undefined ? {} : { tier }),
    ...(chosen.length > 0 ? { claims: Object.fromEntries(chosen) } : {}),
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
