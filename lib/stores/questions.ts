/** Questions that policies put to the stores, so that the gateway can send those of one request together. */
import type { Blob } from "./blobs.ts";
import type { Take, Taken } from "./counters.ts";
import type { KeyRecord } from "./keys.ts";
import type { Claim } from "./once.ts";
import type { StoreReply } from "./reply.ts";

export type Question =
  | { readonly ask: "take"; readonly takes: readonly Take[] }
  | { readonly ask: "key"; readonly digest: string }
  | { readonly ask: "claim"; readonly key: string; readonly ttlMs: number }
  | { readonly ask: "blob"; readonly key: string };

/** In the order of the questions. All takes of one trip are one call: `allowed` is that of the policy's own takes and the whole. */
export type Reply = StoreReply<Taken | KeyRecord | Claim | Blob | undefined>;
