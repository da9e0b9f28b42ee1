/** Questions that policies put to the stores, so that the gateway can send those of one request together. */
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

/** What a policy hears of its takes, which all takes of a trip decide together. */
export interface TakenPart extends Taken {
  /** Whether every one of its own was allowed. */
  readonly allowed: boolean;
  /** Whether the takes of the trip were charged: none are where one of another policy was refused. */
  readonly charged: boolean;
}

/** In the order of the questions. */
export type StoreResult = StoreReply<TakenPart | KeyRecord | KeyChanges | Claim | Blob | undefined>;
