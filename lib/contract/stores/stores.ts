/** The stores that the engine and its policies know, as interfaces. Implementations: ./memory, ./sqlite, ./upstash. */
import type { Blobs } from "./blobs.ts";
import type { Counters, LocalCounters } from "./counters.ts";
import type { Keys } from "./keys.ts";
import type { EventLog } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Once } from "./once.ts";
import type { Unavailable } from "./reply.ts";

export interface Stores {
  readonly counters: Counters;
  readonly keys: Keys;
  /** Tokens that were taken back, until they would have ended: kept as API keys are, and apart from them. */
  readonly revoked: Keys;
  readonly once: Once;
  readonly blobs: Blobs;
  readonly log: EventLog;
  readonly metrics: Metrics;
  /**
   * Where a limit counts while `counters` is away (`onUnavailable: "local"`): one bounded table for the process, empty again
   * when the process is. Takes go there after a reply of `unavailable`, with the rule's `shareOf`; a place that was taken here
   * is renewed and released here. Nothing is carried over when the store is back: it counts from what it knew.
   */
  readonly local: LocalCounters;
  /** Whether the store is there, as this process last saw it. Asks nothing. */
  status(): StoreStatus;
  /** What stands behind each, for people: shown by `frontdesk check` and on the page at /gateway. */
  readonly describe: Readonly<Record<"counters" | "keys" | "once" | "blobs" | "log" | "metrics", string>>;
  /** Writes what is still buffered and lets go of files and sockets. Safe to call twice. */
  close(): Promise<void>;
}

export interface StoreStatus {
  /**
   * Undefined where it is there. While it is away trips fail, and all but one a second are answered `unavailable` at once. A file that is
   * `unwritable` is still read.
   */
  readonly away: { readonly reason: Unavailable["reason"] | "unwritable"; readonly sinceMs: number } | undefined;
  /** Since this process began: how often it went away. */
  readonly outages: number;
  /** Trips in those outages that failed or were not made. */
  readonly unanswered: number;
  /** Revocations that could not be written: in force in this process, and forgotten with it. Absent: none. */
  readonly heldRevocations?: number;
}

export const ALWAYS_THERE: StoreStatus = Object.freeze({ away: undefined, outages: 0, unanswered: 0 });
