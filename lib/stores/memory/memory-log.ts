/** The newest entries of each stream of one process, within a number and a total size. */
import type { Json } from "../../contract/json.ts";
import type { Page } from "../../contract/stores/keys.ts";
import type { EventLog, LogEntry } from "../../contract/stores/log.ts";
import { ok, type StoreReply } from "../../contract/stores/reply.ts";

interface Kept {
  readonly id: string;
  readonly timeMs: number;
  /** Text, so that a value that its caller changes later stays as it was written, and its size is known. */
  readonly text: string;
}

export class MemoryLog implements EventLog {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #streams = new Map<string, { entries: Kept[]; bytes: number }>();
  #appended = 0;

  /** Bounds of each stream. Streams are named by the engine, never by a request. */
  constructor(options: { readonly maxEntries: number; readonly maxBytes: number }) {
    this.#maxEntries = options.maxEntries;
    this.#maxBytes = options.maxBytes;
  }

  append(stream: string, value: Json, nowMs: number): StoreReply<void> {
    const kept = this.#streams.get(stream) ?? { entries: [], bytes: 0 };
    this.#streams.set(stream, kept);
    const text = JSON.stringify(value);
    kept.entries.push({ id: String(++this.#appended).padStart(15, "0"), timeMs: nowMs, text });
    kept.bytes += text.length * 2;
    if (kept.entries.length > this.#maxEntries || kept.bytes > this.#maxBytes) this.#trim(kept);
    return ok(undefined);
  }

  page(stream: string, query: { readonly before?: string; readonly limit: number }): StoreReply<Page<LogEntry>> {
    const { before, limit } = query;
    const entries = this.#streams.get(stream)?.entries ?? [];
    const end = before === undefined ? entries.length : entries.findLastIndex((entry) => entry.id < before) + 1;
    const items = entries
      .slice(Math.max(0, end - limit), end)
      .reverse()
      .map(({ id, timeMs, text }) => ({ id, timeMs, value: JSON.parse(text) as Json }));
    return ok({ items, next: end > limit ? items.at(-1)!.id : undefined });
  }

  /** A tenth at once, so that moving the rest costs each append next to nothing. */
  #trim(kept: { entries: Kept[]; bytes: number }): void {
    let dropped = 0;
    const { entries } = kept;
    while (dropped < entries.length && (entries.length - dropped > this.#maxEntries * 0.9 || kept.bytes > this.#maxBytes * 0.9)) {
      kept.bytes -= entries[dropped++]!.text.length * 2;
    }
    kept.entries = entries.slice(dropped);
  }
}
