/**
 * How large the store file may become, and what is set aside in it and on the disk for taking credentials back: what callers write (claims,
 * counts, cached answers) must not use up the room that a revocation needs.
 */
import { closeSync, openSync, statSync, unlinkSync, writeSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

/** Of the file, beyond its bound. */
const RESERVED_BYTES = 16 * 1024 * 1024;
/** On the disk, for when it is full: a file that is given up. Some thousand revocations, with their journal. */
const RESERVE_FILE_BYTES = 1024 * 1024;

export class FileRoom {
  readonly #database: DatabaseSync;
  readonly #file: string | undefined;
  readonly #maxPages: number;
  readonly #reservedPages: number;

  /** `file` is undefined for a database in memory. */
  constructor(database: DatabaseSync, file: string | undefined, maxBytes: number) {
    this.#database = database;
    this.#file = file;
    const pageBytes = Number(database.prepare("PRAGMA page_size").get()!.page_size);
    this.#maxPages = Math.ceil(maxBytes / pageBytes);
    this.#reservedPages = Math.ceil(RESERVED_BYTES / pageBytes);
    this.#bound(this.#maxPages);
    this.setAside();
  }

  /** For keys and revocations, which operators write. */
  withReserve<T>(work: () => T): T {
    this.#bound(this.#maxPages + this.#reservedPages);
    try {
      return work();
    } finally {
      this.#bound(this.#maxPages);
    }
  }

  /** Frees room on a full disk; false where there was none to free. */
  giveUpReserve(): boolean {
    return this.#file !== undefined && giveUpReserve(this.#file);
  }

  /** Again after it was given up. On a full disk nothing can be set aside. */
  setAside(): void {
    if (this.#file === undefined) return;
    const reserve = reserveOf(this.#file);
    try {
      if (statSync(reserve, { throwIfNoEntry: false })?.size === RESERVE_FILE_BYTES) return;
      const descriptor = openSync(reserve, "w", 0o600);
      try {
        // Written, not only made long: a file with holes takes no room.
        writeSync(descriptor, Buffer.alloc(RESERVE_FILE_BYTES, 1));
      } finally {
        closeSync(descriptor);
      }
    } catch {
      // What was written of it stays, and is given up all the same.
    }
  }

  #bound(pages: number): void {
    this.#database.exec(`PRAGMA max_page_count = ${pages}`);
  }
}

/** Frees what was set aside beside this file; false where nothing was. */
export function giveUpReserve(file: string): boolean {
  try {
    unlinkSync(reserveOf(file));
    return true;
  } catch {
    return false;
  }
}

function reserveOf(file: string): string {
  return `${file}.reserve`;
}
