/** What a fill is made of: the request that it makes, who waits for its answer, and what the cache does with what comes. */

import type { CacheRule } from "../contract/caching.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { Run } from "../proxy/run.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { CacheStatus } from "./cache-status.ts";
import type { Entry } from "./entry.ts";
import type { RequestTraits } from "./request-traits.ts";

export interface Caller {
  readonly run: Run;
  readonly traits: RequestTraits;
  /** The answer is not for this caller, who has to ask anew: by itself, or together with others who wait. */
  refetch(mayWait: boolean): void;
}

export type FetchReason = NonNullable<CacheStatus["fwd"]>;

/** What the cache does with what a fill finds out. */
export interface FillOwner {
  store(variant: string, entry: Entry): void;
  /** The stored answer that was stale is no longer what the backend says. */
  evict(): void;
  /** Nobody may join any more; what comes may still be stored. */
  shut(): void;
  /** It is over: neither. `isShareable` is false where the next callers had better not wait for each other either. */
  close(isShareable: boolean): void;
}

export interface FillOptions {
  readonly path: string;
  readonly rule: CacheRule;
  /** The request that is made, as of the caller who came first. */
  readonly own: RequestContext;
  readonly traits: RequestTraits;
  readonly isAuthenticated: boolean;
  readonly hasCookies: boolean;
  /** The stored answer that is stale. */
  readonly stale: Entry | undefined;
  /** Why the backend is asked; undefined where answers are not stored here, but may be by caches in front. */
  readonly reason: FetchReason | undefined;
  /** Goes on with no caller. */
  readonly isBackground: boolean;
  readonly maxBytes: number;
  readonly held: ByteBudget;
  readonly now: () => number;
  readonly owner: FillOwner;
}
