/** Tokens put together by hand, right and wrong: what jose would refuse to make. */
import { createHmac, createPublicKey, KeyObject, sign as signWith } from "node:crypto";
import type { SigningKey } from "../../support/issuer.ts";

export type Signer = (input: string) => string | Buffer;

const base64url = (part: string | object) =>
  Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");

/** Header and claims as objects, or as the text that stands for them. */
export function craft(header: string | object, claims: string | object, signer: Signer): string {
  const input = `${base64url(header)}.${base64url(claims)}`;
  const signature = signer(input);
  return `${input}.${typeof signature === "string" ? signature : signature.toString("base64url")}`;
}

/** With the private key, as its algorithm asks: RS256 or ES256. */
export function by({ privateKey, alg }: SigningKey): Signer {
  const key = KeyObject.from(privateKey);
  const options = alg === "ES256" ? { key, dsaEncoding: "ieee-p1363" as const } : key;
  return (input) => signWith("sha256", Buffer.from(input), options);
}

export function hmac(secret: string | Buffer, hash = "sha256"): Signer {
  return (input) => createHmac(hash, secret).update(input).digest();
}

/** A public key in each form that somebody might take for a secret. */
export function formsOf({ jwk }: SigningKey): Record<string, string | Buffer> {
  const key = createPublicKey({ key: { ...jwk }, format: "jwk" });
  const spki = String(key.export({ format: "pem", type: "spki" }));
  return {
    "SPKI PEM": spki,
    "SPKI PEM without the last line's end": spki.trimEnd(),
    "PKCS #1 PEM": String(key.export({ format: "pem", type: "pkcs1" })),
    DER: key.export({ format: "der", type: "spki" }),
    JWK: JSON.stringify(jwk),
    "JWK set": JSON.stringify({ keys: [jwk] }),
    "the modulus": Buffer.from(jwk.n!, "base64url"),
  };
}
