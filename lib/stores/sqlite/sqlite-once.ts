/** Claims in the store file, each written before it is answered, so that a restart forgets none and two processes share them. */
import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { boundedKey } from "../bounded-key.ts";
import type { Claim, Once } from "../once.ts";
import { type StoreReply, unavailable } from "../reply.ts";
import type { Attempt } from "./attempt.ts";

/** Expired claims that one new claim clears away at most; more than one, so that they can't pile up. */
const CLEARED_PER_CLAIM = 4;

export class SqliteOnce implements Once {
  readonly #attempt: Attempt;
  readonly #maxClaims: number;
  readonly #statements;
  #claims: number;

  constructor(database: DatabaseSync, attempt: Attempt, maxClaims: number) {
    this.#attempt = attempt;
    this.#maxClaims = maxClaims;
    this.#statements = {
      // One statement, so that of two processes exactly one changes the row.
      claim: database.prepare(
        `INSERT INTO once (key, token, value, expires_ms) VALUES (:key, :token, NULL, :expiresMs)
         ON CONFLICT (key) DO UPDATE SET token = excluded.token, value = NULL, expires_ms = excluded.expires_ms
         WHERE once.expires_ms <= :nowMs`,
      ),
      read: database.prepare("SELECT value FROM once WHERE key = ? AND expires_ms > ?"),
      complete: database.prepare(
        "UPDATE once SET value = ?, expires_ms = ? WHERE key = ? AND token = ? AND value IS NULL AND expires_ms > ?",
      ),
      release: database.prepare("DELETE FROM once WHERE key = ? AND token = ? AND value IS NULL"),
      clear: database.prepare(
        "DELETE FROM once WHERE key IN (SELECT key FROM once WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?)",
      ),
    };
    this.#claims = Number(database.prepare("SELECT count(*) AS claims FROM once").get()!.claims);
  }

  claim(key: string, ttlMs: number, nowMs: number): StoreReply<Claim> {
    const name = boundedKey(key);
    const token = randomUUID();
    // Forgetting a nonce would let it be replayed: refuse to answer instead.
    if (this.#claims >= this.#maxClaims && !this.#cleared(nowMs)) return unavailable("error");
    return this.#attempt(() => {
      if (this.#statements.claim.run({ key: name, token, expiresMs: nowMs + ttlMs, nowMs }).changes === 1) {
        this.#claims++;
        this.#clear(nowMs);
        return { state: "claimed", token };
      }
      const value = this.#statements.read.get(name, nowMs)?.value;
      return typeof value === "string" ? { state: "done", value } : { state: "held" };
    });
  }

  complete(key: string, token: string, value: string, ttlMs: number, nowMs: number): StoreReply<boolean> {
    return this.#attempt(() => this.#statements.complete.run(value, nowMs + ttlMs, boundedKey(key), token, nowMs).changes === 1);
  }

  release(key: string, token: string): StoreReply<void> {
    return this.#attempt(() => {
      this.#claims -= Number(this.#statements.release.run(boundedKey(key), token).changes);
    });
  }

  #clear(nowMs: number): void {
    this.#claims -= Number(this.#statements.clear.run(nowMs, CLEARED_PER_CLAIM).changes);
  }

  #cleared(nowMs: number): boolean {
    this.#attempt(() => this.#clear(nowMs));
    return this.#claims < this.#maxClaims;
  }
}
