/**
 * Text that only its writer can read and nobody can change: a compact JWE (RFC 7516) with `dir` and A256GCM, by synchronous node:crypto.
 * A test holds it interchangeable with jose.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const HEADER = Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString("base64url");
const AAD = Buffer.from(HEADER, "ascii");
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** `key` has 32 bytes. */
export function encryptCompact(plain: string, key: Uint8Array): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(AAD);
  const text = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
  return `${HEADER}..${iv.toString("base64url")}.${text.toString("base64url")}.${cipher.getAuthTag().toString("base64url")}`;
}

/** Undefined for anything that was not encrypted here by one of the keys. */
export function decryptCompact(token: string, keys: readonly Uint8Array[]): string | undefined {
  const [header, encryptedKey, iv, text, tag, ...rest] = token.split(".");
  // The header is compared, never parsed: nobody gets to choose an algorithm.
  if (header !== HEADER || encryptedKey !== "" || !iv || !text || !tag || rest.length > 0) return undefined;
  for (const key of keys) {
    const plain = decrypt(key, Buffer.from(iv, "base64url"), Buffer.from(text, "base64url"), Buffer.from(tag, "base64url"));
    if (plain !== undefined) return plain;
  }
  return undefined;
}

function decrypt(key: Uint8Array, iv: Buffer, text: Buffer, tag: Buffer): string | undefined {
  // A shorter tag would be a weaker one (NIST SP 800-38D appendix C).
  if (iv.length !== IV_BYTES || tag.length !== TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(AAD);
    decipher.setAuthTag(tag);
    return Buffer.concat([decipher.update(text), decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}
