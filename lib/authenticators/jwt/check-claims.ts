/** What a token must say for this gateway to take it (RFC 7519 section 4.1), and in words what it says instead. */
import type { AuthFailure } from "../../contract/authenticator.ts";
import { type ClaimRule, claimAt, fitsRule } from "../../contract/claims.ts";
import { invalid, quoted, type ReadToken } from "./token.ts";

export interface ClaimChecks {
  /** Empty: any. */
  readonly issuers: readonly string[];
  readonly audience: readonly string[];
  readonly claims: readonly ClaimRule[];
  /** Lower case, without `application/`; null: what bearer tokens have. */
  readonly typ: string | null;
  readonly toleranceSeconds: number;
}

/** RFC 7519 section 5.1, RFC 9068 section 2.1. Other types (`logout+jwt`, `dpop+jwt`) are made for other ends (RFC 8725 section 3.11). */
const BEARER_TYPES = ["jwt", "at+jwt"];

/** Undefined where all is well. Called for verified claims; nothing said here reaches the caller but `detail`. */
export function faultOfClaims({ typ, claims }: ReadToken, checks: ClaimChecks, nowMs: number): AuthFailure | undefined {
  return (
    typeFault(typ, checks.typ) ??
    issuerFault(claims.iss, checks.issuers) ??
    timeFault(claims, nowMs / 1000, checks.toleranceSeconds) ??
    audienceFault(claims.aud, checks.audience) ??
    ruleFault(claims, checks.claims)
  );
}

function typeFault(typ: string | undefined, wanted: string | null): AuthFailure | undefined {
  // RFC 7515 section 4.1.9: compared without regard to case, `application/` left out.
  const given = typ?.toLowerCase().replace(/^application\//, "");
  if (wanted !== null)
    return given === wanted ? undefined : invalid(`the token's typ is ${quoted(typ)}, and ${wanted} is needed`);
  return given === undefined || BEARER_TYPES.includes(given)
    ? undefined
    : invalid(`the token's typ is ${quoted(typ)}, which is not a bearer token's`);
}

export function issuerFault(iss: unknown, issuers: readonly string[]): AuthFailure | undefined {
  if (issuers.length === 0 || issuers.includes(iss as string)) return undefined;
  const near = issuers.find((issuer) => typeof iss === "string" && withoutSlash(issuer) === withoutSlash(iss));
  if (near !== undefined)
    return invalid(
      `issuer: the config has ${quoted(near)} and the token ${quoted(iss)}: they differ by the slash at the end. Write it as the token has it`,
    );
  return invalid(`issuer: the config has ${issuers.map(quoted).join(", ")} and the token ${quoted(iss)}`);
}

function withoutSlash(text: string): string {
  return text.endsWith("/") ? text.slice(0, -1) : text;
}

/** A token without an end is not taken: it could never be got rid of. */
function timeFault({ exp, nbf, iat }: ReadToken["claims"], now: number, tolerance: number): AuthFailure | undefined {
  if (!isTime(exp)) return invalid(`the token's exp is ${quoted(exp)}: a time is needed`);
  if (nbf !== undefined && !isTime(nbf)) return invalid("the token's nbf is no time");
  if (iat !== undefined && !isTime(iat)) return invalid("the token's iat is no time");
  if (now >= exp + tolerance) return invalid(`the token expired ${seconds(now - exp)} ago`, "The token has expired.");
  if (nbf !== undefined && nbf > now + tolerance)
    return invalid(`the token is not valid before ${seconds(nbf - now)} from now`, "The token is not valid yet.");
  if (iat !== undefined && iat > now + tolerance)
    return invalid(`the token was issued ${seconds(iat - now)} from now: a clock is wrong`, "The token is not valid yet.");
  return undefined;
}

/** The end of the year 9999. */
const MAX_TIME_SECONDS = 253_402_300_799;

/** A NumericDate (RFC 7519 section 2). JSON's 1e400 is Infinity here, and milliseconds lie thousands of years away. */
function isTime(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= MAX_TIME_SECONDS;
}

function seconds(count: number): string {
  return `${Math.max(1, Math.round(count))} s`;
}

function audienceFault(aud: unknown, wanted: readonly string[]): AuthFailure | undefined {
  if (wanted.length === 0) return undefined;
  const given: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (given.some((one) => typeof one === "string" && wanted.includes(one))) return undefined;
  return invalid(`audience: the config has ${wanted.map(quoted).join(", ")} and the token ${quoted(aud)}`);
}

function ruleFault(claims: ReadToken["claims"], rules: readonly ClaimRule[]): AuthFailure | undefined {
  const broken = rules.find((rule) => !fitsRule(claimAt(claims, rule.name), rule));
  return broken && invalid(`claims: "${broken.name}" is not what the config asks for`);
}
