/** Sums in the store file, written within a second; those of several processes of one machine come together there. */
import type { DatabaseSync } from "node:sqlite";
import { MAX_METRIC_NAMES, type MetricBatch, type Metrics } from "../../contract/stores/metrics.ts";
import { ok, type StoreReply, unavailable } from "../../contract/stores/reply.ts";
import { addSums } from "../memory/memory-metrics.ts";
import type { Attempt } from "./attempt.ts";
import type { WriteBehind, Writer } from "./write-behind.ts";

interface Pending {
  readonly sums: Map<string, number>;
  expiresMs: number;
}

/** Tables whose sums wait at once; more are those of a disk that has been full for hours, and the oldest go. */
const MAX_PENDING_TABLES = 100;
/** SQLite's integers are what JavaScript has as safe ones. */
const NEVER_MS = Number.MAX_SAFE_INTEGER;

export class SqliteMetrics implements Metrics, Writer {
  readonly #behind: WriteBehind;
  readonly #attempt: Attempt;
  readonly #now: () => number;
  readonly #statements;
  readonly #pending = new Map<string, Pending>();

  constructor(database: DatabaseSync, behind: WriteBehind, attempt: Attempt, now: () => number) {
    this.#behind = behind;
    this.#attempt = attempt;
    this.#now = now;
    this.#statements = {
      keep: database.prepare(
        "INSERT INTO metric_tables (name, expires_ms) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET expires_ms = excluded.expires_ms",
      ),
      names: database.prepare("SELECT count(*) AS names FROM metrics WHERE tbl = ?"),
      add: database.prepare(
        "INSERT INTO metrics (tbl, name, sum) VALUES (?, ?, ?) ON CONFLICT (tbl, name) DO UPDATE SET sum = sum + excluded.sum",
      ),
      addKnown: database.prepare("UPDATE metrics SET sum = sum + ?3 WHERE tbl = ?1 AND name = ?2"),
      clear: database.prepare("DELETE FROM metric_tables WHERE expires_ms <= ?"),
      read: database.prepare(
        "SELECT name, sum FROM metrics WHERE tbl = ?1 AND EXISTS (SELECT 1 FROM metric_tables WHERE name = ?1 AND expires_ms > ?2)",
      ),
    };
    behind.add(this);
  }

  /** What is pending is written once, so that no batch counts twice. */
  add({ tables }: MetricBatch, nowMs: number): StoreReply<void> {
    for (const { name, ttlMs, sums } of tables) {
      const pending: Pending = this.#pending.get(name) ?? { sums: new Map(), expiresMs: 0 };
      this.#pending.set(name, pending);
      pending.expiresMs = ttlMs === undefined ? NEVER_MS : nowMs + ttlMs;
      addSums(pending.sums, sums);
    }
    this.#behind.mark();
    return ok(undefined);
  }

  read(tables: readonly string[], nowMs: number): StoreReply<readonly ReadonlyMap<string, number>[]> {
    if (this.#pending.size > 0 && !this.#behind.flush()) return unavailable("error");
    return this.#attempt.read(() =>
      tables.map((table) => new Map(this.#statements.read.all(table, nowMs).map(({ name, sum }) => [String(name), Number(sum)]))),
    );
  }

  write(): void {
    if (this.#pending.size === 0) return;
    const { keep, names, add, addKnown, clear } = this.#statements;
    // A table's sums go with it.
    clear.run(this.#now());
    for (const [table, { sums, expiresMs }] of this.#pending) {
      keep.run(table, expiresMs);
      const isFull = Number(names.get(table)!["names"]) + sums.size > MAX_METRIC_NAMES;
      for (const [name, by] of sums) (isFull ? addKnown : add).run(table, name, by);
    }
  }

  written(): void {
    this.#pending.clear();
  }

  failed(): void {
    for (const name of this.#pending.keys()) if (this.#pending.size > MAX_PENDING_TABLES) this.#pending.delete(name);
  }
}
