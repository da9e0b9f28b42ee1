/** Append-only logs by stream name (`audit`, `records`), newest first when read. */
import type { Json } from "../json.ts";
import type { Page } from "./keys.ts";
import type { Pending } from "./reply.ts";

export interface LogEntry {
  /** Sorts by time within a stream; assigned by the store. */
  readonly id: string;
  readonly timeMs: number;
  readonly value: Json;
}

export interface EventLog {
  append(stream: string, value: Json, nowMs: number): Pending<void>;
  /** At most `limit` (1 to 1000), older than `before` where given. */
  page(stream: string, query: { readonly before?: string; readonly limit: number }): Pending<Page<LogEntry>>;
}
