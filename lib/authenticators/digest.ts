/**
 * What a credential is known by, in stores and in memory: its SHA-256. Those of credentials that came before are kept, so that a
 * remembered one costs no call into OpenSSL; they are found by a keyed hash, so that no credential is kept in clear but the last.
 */
import { hash, randomBytes } from "node:crypto";
import { MAX_LENGTH, SipHash } from "./sip-hash.ts";

/** A power of two. Two credentials of one place push one another out, and then cost what they would without it. */
const PLACES = 1 << 14;

/** Its key lives no longer than the process. */
const sipHash = new SipHash(randomBytes(16));
const hashed = new Int32Array(4);
const digests = new Array<string | undefined>(PLACES).fill(undefined);
/** What the digest in the same place is found by, four words for each. */
const hashes = new Int32Array(4 * PLACES);
/** A request asks for the digest of its credential more than once. */
let last = { credential: "", digest: sha256("") };

/**
 * SHA-256 in base64url. Looking something up by it needs no comparison in constant time: who could tell from the time taken how much of
 * a digest was right would still have to find a text of that digest.
 */
export function digestOf(credential: string): string {
  if (credential !== last.credential) last = { credential, digest: findOrMake(credential) };
  return last.digest;
}

function findOrMake(credential: string): string {
  if (credential.length > MAX_LENGTH) return sha256(credential);
  sipHash.hash(credential, hashed);
  const place = hashed[0]! & (PLACES - 1);
  const first = 4 * place;
  const known = digests[place];
  if (known !== undefined && isAt(first)) return known;
  const digest = sha256(credential);
  digests[place] = digest;
  hashes.set(hashed, first);
  return digest;
}

function isAt(first: number): boolean {
  for (let i = 0; i < 4; i++) if (hashes[first + i] !== hashed[i]) return false;
  return true;
}

function sha256(text: string): string {
  return hash("sha256", text, "base64url");
}
