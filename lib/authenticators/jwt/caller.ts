/** Who a verified token says is calling, and what they may do. */
import { consumerId } from "../../contract/authenticator.ts";
import { claimAt, namesIn } from "../../contract/claims.ts";
import type { Json } from "../../contract/json.ts";
import type { Consumer } from "../../contract/request.ts";

export interface CallerClaims {
  /** The claim that says who it is. */
  readonly consumer: string;
  readonly scopesFrom: readonly string[];
  readonly rolesFrom: readonly string[];
  readonly tierClaim: string | null;
}

type Claims = Readonly<Record<string, unknown>>;

/** Undefined where the token does not say who. `kept` are the names of the claims that the config speaks of. */
export function callerOf(name: string, claims: Claims, from: CallerClaims, kept: readonly string[]): Consumer | undefined {
  const subject = subjectIn(claims, from.consumer);
  if (subject === undefined) return undefined;
  const tier = from.tierClaim === null ? undefined : claimAt(claims, from.tierClaim);
  return {
    id: consumerId(name, subject),
    authenticator: name,
    scopes: namesFrom(claims, from.scopesFrom),
    roles: namesFrom(claims, from.rolesFrom),
    claims: Object.fromEntries(
      kept.flatMap((claim): [string, Json][] => {
        const value = claimAt(claims, claim);
        return value === undefined ? [] : [[claim, value]];
      }),
    ),
    ...(typeof tier === "string" ? { tier } : {}),
  };
}

/** `sub` is text (RFC 7519 section 4.1.2); another claim may be a whole number, as ids of a database are. */
function subjectIn(claims: Claims, name: string): string | undefined {
  const value = claimAt(claims, name);
  if (typeof value === "string") return value === "" ? undefined : value;
  return name !== "sub" && Number.isSafeInteger(value) ? String(value) : undefined;
}

function namesFrom(claims: Claims, from: readonly string[]): readonly string[] {
  return [...new Set(from.flatMap((name) => namesIn(claimAt(claims, name))))];
}
