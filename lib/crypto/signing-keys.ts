/** Ed25519 keys (RFC 8032) made of the operator's secrets, so that every instance signs with the same and nothing is stored. */
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { deriveKeys } from "./derive-keys.ts";

/** RFC 7517, RFC 8037 section 2: public keys only. */
export interface Jwks {
  readonly keys: readonly Readonly<Record<string, string>>[];
}

export interface SigningKeys {
  readonly kid: string;
  /** Base64url, by the first key. */
  sign(text: string): string;
  /** Of every key, so that what an old one signed verifies while keys rotate. */
  readonly jwks: Jwks;
}

/** What stands before the 32 bytes of a private key in PKCS #8 (RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** The first secret signs. */
export function createSigningKeys(secrets: readonly [Uint8Array, ...Uint8Array[]]): SigningKeys {
  const privateKeys = deriveKeys(secrets, "assertion").map((seed) =>
    createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" }),
  );
  const keys = privateKeys.map((key) => {
    const { crv, kty, x } = createPublicKey(key).export({ format: "jwk" }) as { crv: "Ed25519"; kty: "OKP"; x: string };
    // The thumbprint (RFC 7638 section 3, RFC 8037 appendix A.3): the same key has the same name on every instance.
    const kid = createHash("sha256").update(JSON.stringify({ crv, kty, x })).digest("base64url");
    return { kty, crv, x, kid, use: "sig", alg: "EdDSA" };
  });
  const [first] = privateKeys;
  return {
    kid: keys[0]!.kid,
    sign: (text) => sign(null, Buffer.from(text), first!).toString("base64url"),
    jwks: Object.freeze({ keys: Object.freeze(keys) }),
  };
}
