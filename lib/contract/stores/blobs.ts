/** Values with a life time: cached answers, key sets, sessions. */
import type { Pending } from "./reply.ts";

export interface Blob {
  readonly value: Uint8Array;
  readonly expiresMs: number;
}

export interface Blobs {
  /** True for what is gone with this process and seen by no other. */
  readonly isOfThisProcess?: boolean;
  /** Undefined where there is none or it has expired. */
  get(key: string, nowMs: number): Pending<Blob | undefined>;
  /** `ttlMs` above 0. An implementation may drop any blob early when it runs out of room. */
  set(
    key: string,
    value: Uint8Array,
    options: { readonly ttlMs: number; readonly tags?: readonly string[] },
    nowMs: number,
  ): Pending<void>;
  delete(key: string): Pending<void>;
  /** How many were deleted, as far as the store knows. */
  deleteByTag(tag: string): Pending<number>;
  deleteByPrefix(prefix: string): Pending<number>;
}
