/** Logs as Redis streams, trimmed as they grow. Ids and so the order are Redis's, whatever the instances' clocks say. */
import type { Json } from "../../contract/json.ts";
import type { Page } from "../../contract/stores/keys.ts";
import type { EventLog, LogEntry } from "../../contract/stores/log.ts";
import type { StoreReply } from "../../contract/stores/reply.ts";
import { reply, type Trips } from "./trips.ts";

type StreamEntry = readonly [id: string, fields: readonly [t: string, timeMs: string, v: string, value: string]];

export class UpstashLog implements EventLog {
  readonly #trips: Trips;
  readonly #prefix: string;
  readonly #maxEntries: number;

  constructor(trips: Trips, prefix: string, maxEntries: number) {
    this.#trips = trips;
    this.#prefix = prefix;
    this.#maxEntries = maxEntries;
  }

  append(stream: string, value: Json, nowMs: number): Promise<StoreReply<void>> {
    const trim = { type: "MAXLEN", comparison: "~", threshold: this.#maxEntries } as const;
    const fields = { t: nowMs, v: JSON.stringify(value) };
    return reply(this.#trips.send((pipeline) => pipeline.xadd(this.#name(stream), "*", fields, { trim })).then(() => {}));
  }

  page(stream: string, query: { readonly before?: string; readonly limit: number }): Promise<StoreReply<Page<LogEntry>>> {
    const { before, limit } = query;
    const end = before === undefined ? "+" : `(${before}`;
    const found = this.#trips.send<StreamEntry[]>((pipeline) => pipeline.xrevrange(this.#name(stream), end, "-", limit + 1));
    return reply(
      found.then((entries) => {
        const items = entries.slice(0, limit).map(([id, [, timeMs, , value]]) => ({
          id,
          timeMs: Number(timeMs),
          value: JSON.parse(value) as Json,
        }));
        return { items, next: entries.length > limit ? items.at(-1)?.id : undefined };
      }),
    );
  }

  #name(stream: string): string {
    return `${this.#prefix}log:${stream}`;
  }
}
