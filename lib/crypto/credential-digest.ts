/** What a credential is known by, in stores and in memory: its SHA-256. */
import { hash } from "node:crypto";

/** Kept, since a request asks for the digest of its credential more than once. */
let last = { credential: "", digest: sha256("") };

/**
 * SHA-256 in base64url. A lookup by it needs no comparison in constant time: an attacker who learns from the time taken how much of a
 * digest was right would still have to find a text with that digest.
 */
export function digestOf(credential: string): string {
  if (credential !== last.credential) last = { credential, digest: sha256(credential) };
  return last.digest;
}

function sha256(text: string): string {
  return hash("sha256", text, "base64url");
}
