/** Logs in the store file, written within a second, trimmed as they grow. */
import type { DatabaseSync } from "node:sqlite";
import type { Json } from "../../contract/json.ts";
import type { Page } from "../../contract/stores/keys.ts";
import type { EventLog, LogEntry } from "../../contract/stores/log.ts";
import { ok, type StoreReply, unavailable } from "../../contract/stores/reply.ts";
import type { Attempt } from "./attempt.ts";
import type { WriteBehind, Writer } from "./write-behind.ts";

export class SqliteLog implements EventLog, Writer {
  readonly #behind: WriteBehind;
  readonly #attempt: Attempt;
  readonly #maxEntries: number;
  readonly #statements;
  #pending: { readonly stream: string; readonly timeMs: number; readonly text: string }[] = [];
  /** Entries since each stream was last trimmed. */
  readonly #grown = new Map<string, number>();

  constructor(database: DatabaseSync, behind: WriteBehind, attempt: Attempt, maxEntries: number) {
    this.#behind = behind;
    this.#attempt = attempt;
    this.#maxEntries = maxEntries;
    this.#statements = {
      append: database.prepare("INSERT INTO log (stream, time_ms, value) VALUES (?, ?, ?)"),
      page: database.prepare("SELECT id, time_ms, value FROM log WHERE stream = ? AND id < ? ORDER BY id DESC LIMIT ?"),
      trim: database.prepare(
        `DELETE FROM log WHERE stream = :stream
         AND id <= (SELECT id FROM log WHERE stream = :stream ORDER BY id DESC LIMIT 1 OFFSET :keep)`,
      ),
    };
    behind.add(this);
  }

  append(stream: string, value: Json, nowMs: number): StoreReply<void> {
    this.#pending.push({ stream, timeMs: nowMs, text: JSON.stringify(value) });
    if (this.#pending.length >= this.#maxEntries) this.#behind.flush();
    else this.#behind.mark();
    return ok(undefined);
  }

  page(stream: string, query: { readonly before?: string; readonly limit: number }): StoreReply<Page<LogEntry>> {
    if (this.#pending.length > 0 && !this.#behind.flush()) return unavailable("error");
    const { before, limit } = query;
    return this.#attempt.read(() => {
      const rows = this.#statements.page.all(stream, before === undefined ? Number.MAX_SAFE_INTEGER : Number(before), limit + 1);
      const items = rows.slice(0, limit).map((row) => ({
        id: String(row.id).padStart(15, "0"),
        timeMs: Number(row.time_ms),
        value: JSON.parse(String(row.value)) as Json,
      }));
      return { items, next: rows.length > limit ? items.at(-1)?.id : undefined };
    });
  }

  write(): void {
    for (const { stream, timeMs, text } of this.#pending) {
      this.#statements.append.run(stream, timeMs, text);
      const grown = (this.#grown.get(stream) ?? this.#maxEntries) + 1;
      // Finding the entry to cut at walks over all that stay, so it is done once for each tenth.
      const due = grown > this.#maxEntries / 10;
      if (due) this.#statements.trim.run({ stream, keep: this.#maxEntries });
      this.#grown.set(stream, due ? 0 : grown);
    }
  }

  written(): void {
    this.#pending = [];
  }

  failed(): void {
    this.#pending = this.#pending.slice(-this.#maxEntries + 1);
  }
}
