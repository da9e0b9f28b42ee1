/** Things that may happen once: nonces, token ids, idempotency keys. */
import type { Pending } from "./reply.ts";

export type Claim =
  /** The caller is the first; it completes or releases with this token. */
  | { readonly state: "claimed"; readonly token: string }
  /** Somebody else holds it and has not finished. */
  | { readonly state: "held" }
  /** It was completed with this value. */
  | { readonly state: "done"; readonly value: string };

export interface Once {
  /** Claims `key` for `ttlMs`; exactly one of any number of concurrent callers gets `claimed`. */
  claim(key: string, ttlMs: number, nowMs: number): Pending<Claim>;
  /** Stores the value for later claimants, for `ttlMs` from now; false where the claim is no longer this token's. */
  complete(key: string, token: string, value: string, ttlMs: number, nowMs: number): Pending<boolean>;
  /** Gives the claim back, so that another caller may have it; nothing where it is no longer this token's. */
  release(key: string, token: string): Pending<void>;
}
