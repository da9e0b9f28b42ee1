/**
 * Claims in the store file, each written before it is answered, so that a restart forgets none and two processes share them. Triggers
 * count them for each owner (database.ts), so that the bounds hold over processes too.
 */
import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { type Claim, type Once, OWNER_SHARE } from "../../contract/stores/once.ts";
import { ok, type StoreReply, unavailable } from "../../contract/stores/reply.ts";
import { boundedKey } from "../bounded-key.ts";
import type { Attempt } from "./attempt.ts";
import { transact } from "./database.ts";

/** Expired claims that one new claim clears away at most; more than one, so that they can't pile up. */
const CLEARED_PER_CLAIM = 4;
/** And where there is no room. */
const CLEARED_FOR_ROOM = 1_000;
/** Whose claims nobody's share bounds: also the row in which all are counted. */
const NOBODY = "";

export interface OnceBounds {
  readonly maxClaims: number;
  /** Of the values together. */
  readonly maxBytes: number;
}

export class SqliteOnce implements Once {
  readonly #database: DatabaseSync;
  readonly #attempt: Attempt;
  readonly #bounds: OnceBounds;
  readonly #statements;

  constructor(database: DatabaseSync, attempt: Attempt, bounds: OnceBounds) {
    this.#database = database;
    this.#attempt = attempt;
    this.#bounds = bounds;
    this.#statements = {
      // One statement, so that of two processes exactly one changes the row.
      claim: database.prepare(
        `INSERT INTO once (key, token, value, expires_ms, owner) VALUES (:key, :token, NULL, :expiresMs, :owner)
         ON CONFLICT (key) DO UPDATE SET token = excluded.token, value = NULL, expires_ms = excluded.expires_ms, owner = excluded.owner
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
      shares: database.prepare("SELECT owner, claims, bytes FROM once_shares WHERE owner IN ('', ?)"),
      owner: database.prepare("SELECT owner FROM once WHERE key = ?"),
    };
  }

  claim(key: string, ttlMs: number, nowMs: number, ownedBy?: string): StoreReply<Claim> {
    const name = boundedKey(key);
    const owner = ownedBy === undefined ? NOBODY : boundedKey(ownedBy);
    const found = this.#attempt.read(() => this.#standing(name, nowMs) ?? this.#full(owner, nowMs));
    if (found.state !== "ok") return found;
    // Forgetting a nonce would let it be replayed: refuse to answer instead.
    if (found.value === "full") return unavailable("error");
    if (found.value !== undefined) return ok(found.value);
    const token = randomUUID();
    return this.#attempt.write(() =>
      transact(this.#database, () => {
        const { claim, clear } = this.#statements;
        if (claim.run({ key: name, token, expiresMs: nowMs + ttlMs, owner, nowMs }).changes === 0)
          return this.#standing(name, nowMs) ?? { state: "held" };
        clear.run(nowMs, CLEARED_PER_CLAIM);
        return { state: "claimed", token };
      }),
    );
  }

  complete(key: string, token: string, value: string, ttlMs: number, nowMs: number): StoreReply<boolean> {
    const name = boundedKey(key);
    const bytes = Buffer.byteLength(value);
    const room = this.#attempt.read(() => {
      const owner = String(this.#statements.owner.get(name)?.owner ?? NOBODY);
      return this.#sharesOf(owner).every(({ bytes: used, share }) => used + bytes <= this.#bounds.maxBytes * share);
    });
    if (room.state !== "ok") return room;
    if (!room.value) return unavailable("error");
    return this.#attempt.write(() => this.#statements.complete.run(value, nowMs + ttlMs, name, token, nowMs).changes === 1);
  }

  release(key: string, token: string): StoreReply<void> {
    return this.#attempt.write(() => {
      this.#statements.release.run(boundedKey(key), token);
    });
  }

  #standing(name: string, nowMs: number): Claim | undefined {
    const row = this.#statements.read.get(name, nowMs);
    if (!row) return undefined;
    return typeof row.value === "string" ? { state: "done", value: row.value } : { state: "held" };
  }

  /** Undefined where there is room for one more. */
  #full(owner: string, nowMs: number): "full" | Claim | undefined {
    const isOver = () => this.#sharesOf(owner).find(({ claims, share }) => claims >= this.#bounds.maxClaims * share);
    if (!isOver()) return undefined;
    this.#statements.clear.run(nowMs, CLEARED_FOR_ROOM);
    const over = isOver();
    if (!over) return undefined;
    return over.share < 1 ? { state: "exhausted" } : "full";
  }

  /** Everybody's together, and the owner's. */
  #sharesOf(owner: string): { claims: number; bytes: number; share: number }[] {
    return this.#statements.shares.all(owner).map((row) => ({
      claims: Number(row.claims),
      bytes: Number(row.bytes),
      share: row.owner === NOBODY ? 1 : OWNER_SHARE,
    }));
  }
}
