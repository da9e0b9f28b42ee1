/** Calls that policies make to the stores. The gateway sends those of one request together. */
import type { Blob } from "./blobs.ts";
import type { Take, Taken } from "./counters.ts";
import type { KeyChanges, KeyRecord } from "./keys.ts";
import type { Claim } from "./once.ts";
import type { StoreReply } from "./reply.ts";

export type StoreCall =
  | { readonly kind: "take"; readonly takes: readonly Take[] }
  | { readonly kind: "key"; readonly digest: string }
  | { readonly kind: "key-changes"; readonly since: number | undefined }
  | { readonly kind: "claim"; readonly key: string; readonly ttlMs: number }
  | { readonly kind: "blob"; readonly key: string };

export type BlobCall = Extract<StoreCall, { kind: "blob" }>;

/** A policy's part of the batch's takes, which are allowed or refused together. */
export interface TakenPart extends Taken {
  /** Whether each of the policy's own takes was allowed. */
  readonly allowed: boolean;
  /** Whether the batch was charged: a refused take of any policy spares all. */
  readonly charged: boolean;
}

interface Values {
  readonly take: TakenPart;
  readonly key: KeyRecord | undefined;
  readonly "key-changes": KeyChanges;
  readonly claim: Claim;
  readonly blob: Blob | undefined;
}

export type StoreResult<Call extends StoreCall = StoreCall> = StoreReply<Values[Call["kind"]]>;

/** The results of a list of calls, in their order. */
export type StoreResults<Calls extends readonly StoreCall[]> = { readonly [Index in keyof Calls]: StoreResult<Calls[Index]> };
