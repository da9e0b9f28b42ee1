/** Things that may happen once: nonces, token ids, idempotency keys. */
import type { Pending } from "./reply.ts";

export type Claim =
  /** The caller is the first; it completes or releases with this token. */
  | { readonly state: "claimed"; readonly token: string }
  /** The owner has as many claims as one may have. */
  | { readonly state: "exhausted" }
  /** Somebody else holds it and has not finished. */
  | { readonly state: "held" }
  /** It was completed with this value. */
  | { readonly state: "done"; readonly value: string };

export interface Once {
  /**
   * Claims `key` for `ttlMs`; exactly one of any number of concurrent callers gets `claimed`. `owner` is whose claims it counts with, in
   * stores of one process, where one caller could take the room of all (`OWNER_SHARE`); absent: nobody's.
   */
  claim(key: string, ttlMs: number, nowMs: number, owner?: string): Pending<Claim>;
  /**
   * Stores the value for later claimants, for `ttlMs` from now; false where the claim is no longer this token's. `unavailable` for want of
   * room leaves the claim held, and a smaller value may still find some.
   */
  complete(key: string, token: string, value: string, ttlMs: number, nowMs: number): Pending<boolean>;
  /** Gives the claim back, so that another caller may have it; nothing where it is no longer this token's. */
  release(key: string, token: string): Pending<void>;
}

/** Of the claims and of the bytes of their values, so much is one owner's at most: the others find room whatever one does. */
export const OWNER_SHARE = 1 / 4;
