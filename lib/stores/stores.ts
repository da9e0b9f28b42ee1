/** The stores that the engine and its policies know, as interfaces. Implementations: ./memory, ./sqlite, ./upstash. */
import type { Blobs } from "./blobs.ts";
import type { Counters } from "./counters.ts";
import type { Keys } from "./keys.ts";
import type { EventLog } from "./log.ts";
import type { Once } from "./once.ts";

export interface Stores {
  readonly counters: Counters;
  readonly keys: Keys;
  readonly once: Once;
  readonly blobs: Blobs;
  readonly log: EventLog;
  /** What stands behind each, for people: shown by `frontdesk check` and on the page at /gateway. */
  readonly describe: Readonly<Record<"counters" | "keys" | "once" | "blobs" | "log", string>>;
  /** Writes what is still buffered and lets go of files and sockets. Safe to call twice. */
  close(): Promise<void>;
}
