/** What it takes to take a token back: what it is known by, and how that is kept. */
import { hash } from "node:crypto";
import type { AuthFailure } from "../../contract/authenticator.ts";
import type { KeyRecord } from "../../contract/stores/keys.ts";
import { invalid, quoted, type ReadToken } from "./token.ts";

/** One token, by its `jti`; or all of a subject that were issued until then. */
export type RevokedBy = "jti" | "sub";

export interface Revocation {
  readonly id: string;
  readonly authenticator: string;
  readonly by: RevokedBy;
  readonly value: string;
  readonly revokedMs: number;
  /** From then on no token is left that it speaks of. */
  readonly untilMs: number;
  readonly note?: string | undefined;
}

/** What a token is looked up by, and since when it is there. */
export interface TokenMarks {
  readonly digests: readonly string[];
  readonly issuedMs: number;
}

/** Names of authenticators have no colon, so that two of them share no digest. */
export function digestOf(authenticator: string, by: RevokedBy, value: string): string {
  return hash("sha256", `${authenticator}:${by}:${value}`, "base64url");
}

/** The marks of a verified token, or why it could never be taken back. */
export function marksOf(authenticator: string, { claims }: ReadToken, maxLifeMs: number): TokenMarks | AuthFailure {
  const { jti, sub, iat, exp } = claims;
  if (jti !== undefined && typeof jti !== "string") return invalid("the token's jti is no text");
  if (typeof iat !== "number") return invalid("the token has no iat, and could not be revoked with others of its subject");
  // A revocation is kept for as long: what lives longer would be good again.
  const lifeMs = ((exp as number) - iat) * 1000;
  if (lifeMs > maxLifeMs)
    return invalid(
      `the token lives for ${Math.round(lifeMs / 1000)} s, and revocations are kept for ${maxLifeMs / 1000} s: \`revocation: { maxLife }\``,
    );
  const digests = [
    ...(jti === undefined ? [] : [digestOf(authenticator, "jti", jti)]),
    ...(typeof sub === "string" ? [digestOf(authenticator, "sub", sub)] : []),
  ];
  if (digests.length === 0) return invalid(`the token has neither jti nor sub (${quoted(sub)}), and could not be revoked`);
  return { digests, issuedMs: iat * 1000 };
}

export function isRevokedBy(record: KeyRecord | undefined, { issuedMs }: TokenMarks): boolean {
  if (!record) return false;
  const { by, revokedMs } = revocationIn(record);
  return by === "jti" || issuedMs <= revokedMs;
}

/** In the form of the store: whose it is stands as a key's consumer, so that lists can be of one authenticator. */
export function recordOf({ id, authenticator, by, value, revokedMs, untilMs, note }: Revocation): KeyRecord {
  return {
    id,
    version: 1,
    digest: digestOf(authenticator, by, value),
    name: `${by}:${value}`,
    consumer: authenticator,
    owner: note,
    hint: "",
    createdMs: revokedMs,
    expiresMs: untilMs,
  };
}

export function revocationIn({ id, name, consumer, owner, createdMs, expiresMs }: KeyRecord): Revocation {
  const colon = name.indexOf(":");
  return {
    id,
    authenticator: consumer,
    by: name.slice(0, colon) as RevokedBy,
    value: name.slice(colon + 1),
    revokedMs: createdMs,
    untilMs: expiresMs ?? Number.POSITIVE_INFINITY,
    note: owner,
  };
}
