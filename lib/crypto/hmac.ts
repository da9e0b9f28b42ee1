/** HMAC with SHA-256 (RFC 2104): who holds the key has written this. */
import { createHmac, timingSafeEqual } from "node:crypto";

export function hmacOf(text: string, key: string | Uint8Array): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** `signature` in base64url. Compared in constant time: how much of a guess was right must not show. */
export function isHmacOf(text: string, key: string | Uint8Array, signature: string): boolean {
  const given = Buffer.from(signature, "base64url");
  const own = hmacOf(text, key);
  return given.length === own.length && timingSafeEqual(own, given);
}
