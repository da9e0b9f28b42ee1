/** Counts that are to outlive a restart: periods, and windows of ten minutes and more. Shorter ones stay in memory alone. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { CounterRule } from "../../contract/stores/counters.ts";
import type { CounterState } from "../memory/counter-state.ts";
import type { CounterBacking } from "../memory/memory-counters.ts";
import type { WriteBehind, Writer } from "./write-behind.ts";

const LONG_MS = 10 * 60_000;
/** Rows that one flush clears away at most, so that it stays short. */
const MAX_CLEARED = 1000;

export class CounterFile implements CounterBacking, Writer {
  readonly #maxPending: number;
  readonly #maxRows: number;
  readonly #now: () => number;
  readonly #behind: WriteBehind;
  readonly #select: StatementSync;
  readonly #upsert: StatementSync;
  readonly #delete: StatementSync;
  readonly #clear: StatementSync;
  readonly #count: StatementSync;
  /** Never fewer than there are: a count that is written again is taken for a new one until they are counted. */
  #rows: number;
  readonly #pending = new Map<string, { readonly state: CounterState; readonly expiresMs: number } | undefined>();

  constructor(
    database: DatabaseSync,
    behind: WriteBehind,
    options: { readonly maxPending: number; readonly maxRows: number; now(): number },
  ) {
    this.#maxPending = options.maxPending;
    this.#maxRows = options.maxRows;
    this.#now = options.now;
    this.#behind = behind;
    this.#select = database.prepare("SELECT state FROM counters WHERE key = ? AND expires_ms > ?");
    this.#upsert = database.prepare(
      `INSERT INTO counters (key, state, expires_ms) VALUES (?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET state = excluded.state, expires_ms = excluded.expires_ms`,
    );
    this.#delete = database.prepare("DELETE FROM counters WHERE key = ?");
    this.#clear = database.prepare(
      "DELETE FROM counters WHERE key IN (SELECT key FROM counters WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?)",
    );
    this.#count = database.prepare("SELECT count(*) AS rows FROM counters");
    this.#rows = this.#countRows();
    behind.add(this);
  }

  /** A file that can't be read leaves the limit to memory: a caller is counted afresh rather than locked out. */
  load(key: string, rule: CounterRule): CounterState | undefined {
    if (!isLong(rule)) return undefined;
    if (this.#pending.has(key)) return this.#pending.get(key)?.state;
    try {
      const row = this.#select.get(key, this.#now());
      return row && (JSON.parse(String(row.state)) as CounterState);
    } catch {
      return undefined;
    }
  }

  changed(key: string, rule: CounterRule, state: CounterState | undefined, expiresMs: number): void {
    if (!isLong(rule)) return;
    this.#pending.set(key, state && { state, expiresMs });
    this.#behind.mark();
  }

  write(): void {
    for (const [key, kept] of this.#pending) {
      if (kept) this.#upsert.run(key, JSON.stringify(kept.state), Math.ceil(kept.expiresMs));
      else this.#delete.run(key);
    }
    this.#rows += this.#pending.size - Number(this.#clear.run(this.#now(), MAX_CLEARED).changes);
    if (this.#rows <= this.#maxRows) return;
    // Names are the callers' to make up: over the bound, those go that would end first anyway.
    this.#rows = this.#countRows();
    if (this.#rows > this.#maxRows)
      this.#rows -= Number(this.#clear.run(Number.MAX_SAFE_INTEGER, this.#rows - this.#maxRows).changes);
  }

  #countRows(): number {
    return Number(this.#count.get()!.rows);
  }

  written(): void {
    this.#pending.clear();
  }

  failed(): void {
    for (const key of this.#pending.keys()) {
      if (this.#pending.size <= this.#maxPending) return;
      this.#pending.delete(key);
    }
  }
}

function isLong(rule: CounterRule): boolean {
  if (rule.algorithm === "period") return true;
  return rule.algorithm !== "concurrency" && rule.windowMs >= LONG_MS;
}
