/** Writes of a second gathered into one transaction: SQLite is synchronous, and a commit per request would be felt. */
import type { DatabaseSync } from "node:sqlite";
import { transact } from "./database.ts";
import type { FileHealth } from "./file-health.ts";

/** Runs `work` once after `delayMs`; returns what calls it off. */
export type Schedule = (work: () => void, delayMs: number) => () => void;

export interface Writer {
  /** Writes all that is pending. Runs in a transaction, so it must not forget anything yet. */
  write(): void;
  /** The transaction is through: forget what was pending. */
  written(): void;
  /** It was not. What is kept for the next time must stay bounded. */
  failed(): void;
}

const FLUSH_MS = 1000;

export class WriteBehind {
  readonly #database: DatabaseSync;
  readonly #schedule: Schedule;
  readonly #health: FileHealth;
  readonly #writers: Writer[] = [];
  #callOff: (() => void) | undefined;

  constructor(database: DatabaseSync, schedule: Schedule, health: FileHealth) {
    this.#database = database;
    this.#schedule = schedule;
    this.#health = health;
  }

  add(writer: Writer): void {
    this.#writers.push(writer);
  }

  /** Something is pending: it is written within a second. */
  mark(): void {
    this.#callOff ??= this.#schedule(() => this.flush(), FLUSH_MS);
  }

  /** Writes what is pending now; false where that failed. */
  flush(): boolean {
    this.#callOff?.();
    this.#callOff = undefined;
    try {
      transact(this.#database, () => {
        for (const writer of this.#writers) writer.write();
      });
    } catch (error) {
      for (const writer of this.#writers) writer.failed();
      this.#health.failed(error);
      return false;
    }
    this.#health.look();
    for (const writer of this.#writers) writer.written();
    return true;
  }
}

export const scheduleTimer: Schedule = (work, delayMs) => {
  const timer = setTimeout(work, delayMs).unref();
  return () => clearTimeout(timer);
};
