/** Where an authenticator's keys come from: the config itself, or an issuer (issuer-keys.ts). */
import type { JWK } from "jose";
import { createKeySet, type KeyHint } from "./key-set.ts";

export interface KeysAddress {
  /** Undefined with an authenticator that names no issuer. */
  readonly issuer: string | undefined;
  /** Undefined: the issuer's metadata tells. */
  readonly jwks: string | undefined;
}

export interface KeySource {
  /** The keys that may have signed a token, or why nobody can say. */
  keysFor(hint: KeyHint): Promise<readonly CryptoKey[] | KeysAway>;
  /** Looks after keys that grow old, without being waited for. */
  tend?(): void;
}

export interface KeysAway {
  /** For the operator. */
  readonly away: string;
}

export function keysOf(keys: readonly JWK[]): KeySource {
  return { keysFor: createKeySet(keys) };
}

/** The newest first; each is tried, so that a secret can be rotated (RFC 7518 section 3.2). */
export function secretsOf(secrets: readonly string[]): KeySource {
  const byAlgorithm = new Map<string, Promise<readonly CryptoKey[]>>();
  return {
    keysFor({ alg }) {
      const known = byAlgorithm.get(alg);
      if (known) return known;
      const hmac = { name: "HMAC", hash: `SHA-${alg.slice(2)}` };
      const keys = Promise.all(
        secrets.map((secret) => crypto.subtle.importKey("raw", Buffer.from(secret), hmac, false, ["verify"])),
      );
      byAlgorithm.set(alg, keys);
      return keys;
    },
  };
}
