/** Which public keys (RFC 7517) may verify tokens, those of an issuer and those of a config alike. */
import { createPublicKey } from "node:crypto";
import type { JWK } from "jose";

const MAX_KEYS = 100;
/** Below, RSA is broken (RFC 7518 section 3.3); above, one verification would cost as much as many. */
const RSA_BITS = { least: 2048, most: 8192 };
const CURVES = ["P-256", "P-384", "P-521"];
/** What a public key needs. A private part in a published set is not taken in. */
const PUBLIC = ["kty", "kid", "alg", "use", "key_ops", "n", "e", "crv", "x", "y"] as const;

/** The keys of a JWK set that can verify signatures; others in it are left out. Throws where it is no such set, or holds none. */
export function usableKeys(set: unknown): JWK[] {
  const keys = typeof set === "object" && set !== null && "keys" in set ? set.keys : undefined;
  if (!Array.isArray(keys)) throw new Error("it is no JWK set");
  if (keys.length > MAX_KEYS) throw new Error(`it holds ${keys.length} keys, and ${MAX_KEYS} are the most`);
  const usable = keys.flatMap((key: unknown) => usableKey(key) ?? []);
  if (usable.length === 0) throw new Error("it holds no key for signatures that can be used");
  return usable;
}

/** Undefined for a key that is of another use, too weak, or none at all. */
export function usableKey(key: unknown): JWK | undefined {
  if (typeof key !== "object" || key === null) return undefined;
  const given = key as JWK;
  const jwk = Object.fromEntries(PUBLIC.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]]))) as JWK;
  if (jwk.use !== undefined && jwk.use !== "sig") return undefined;
  if (jwk.key_ops !== undefined && !(Array.isArray(jwk.key_ops) && jwk.key_ops.includes("verify"))) return undefined;
  const isOfKind =
    jwk.kty === "RSA" || (jwk.kty === "EC" && CURVES.includes(jwk.crv!)) || (jwk.kty === "OKP" && jwk.crv === "Ed25519");
  if (!isOfKind) return undefined;
  // Two names of one algorithm on this curve (RFC 9864 section 2.2): a key that says one verifies both.
  if (jwk.kty === "OKP" && (jwk.alg === "EdDSA" || jwk.alg === "Ed25519")) delete jwk.alg;
  try {
    // A point that is not on its curve, or a number that is none, fails here and not at a request.
    const { modulusLength } = createPublicKey({ key: jwk as Record<string, string>, format: "jwk" }).asymmetricKeyDetails ?? {};
    const isSound = modulusLength === undefined || (modulusLength >= RSA_BITS.least && modulusLength <= RSA_BITS.most);
    return isSound ? jwk : undefined;
  } catch {
    return undefined;
  }
}
