/**
 * What one instance knows of tokens that were taken back. A token is looked up when it is first seen; after that, what was found stands
 * until the store tells of a change to its `jti` or its subject. Changes are asked for as with API keys: never acted on when more than 5 s
 * old, so that a revocation bites within that time wherever it was made.
 */
import type { AuthFailure } from "../../contract/authenticator.ts";
import type { MaybePromise } from "../../contract/maybe-promise.ts";
import type { KeyChanges, Keys } from "../../contract/stores/keys.ts";
import type { Stores } from "../../contract/stores/stores.ts";
import { SnapshotAge } from "../../stores/snapshot-age.ts";
import { isRevokedBy, type TokenMarks } from "./revocation.ts";
import { invalid } from "./token.ts";

/** A verified token, and how it stood when it was looked up. */
export interface Revocable extends TokenMarks {
  fault: AuthFailure | undefined;
  /** After so much news; undefined before it was looked up. */
  asOf: number | undefined;
}

/** Bounds what is remembered of changes: beyond it every token is looked up again. */
const MAX_CHANGED = 10_000;

const REVOKED = invalid("the token was revoked");
const UNAVAILABLE: AuthFailure = { kind: "unavailable", reason: "the store of revocations did not answer" };

export class RevokedTokens {
  readonly #store: Keys;
  readonly #age = new SnapshotAge();
  /** Up to where changes are known. */
  #mark: number | undefined;
  /** Counts what was heard. */
  #news = 0;
  /** What has changed, and with which news. */
  readonly #changed = new Map<string, number>();
  /** With which news all did. */
  #allChanged = 0;
  #hearing: Promise<number | undefined> | undefined;

  constructor(store: Keys) {
    this.#store = store;
  }

  /** Undefined: it was not taken back. A promise only where the store has to be asked; `defer` is for questions that nobody waits for. */
  faultOf(token: Revocable, nowMs: number, defer: (work: Promise<unknown>) => void): MaybePromise<AuthFailure | undefined> {
    if (!this.#age.isFresh(nowMs)) return this.#find(token, nowMs);
    if (this.#age.isDue(nowMs)) defer(this.#hear(nowMs));
    return this.#isKnown(token) ? token.fault : this.#find(token, nowMs);
  }

  /** For a change that was made here: it bites at once, also on answers that are on their way. */
  forget(digest: string): void {
    this.#note([digest]);
  }

  /** Whether what was found still stands; where it does, the next look is a comparison of two numbers. */
  #isKnown(token: Revocable): boolean {
    const { asOf, digests } = token;
    if (asOf === this.#news) return true;
    if (asOf === undefined || asOf < this.#allChanged) return false;
    if (digests.some((digest) => (this.#changed.get(digest) ?? 0) > asOf)) return false;
    token.asOf = this.#news;
    return true;
  }

  async #find(token: Revocable, nowMs: number): Promise<AuthFailure | undefined> {
    const before = this.#news;
    // In one tick, changes first: a store over HTTP makes one request of them, and nothing that is found is older than what is heard.
    const hearing = this.#age.isFresh(nowMs) ? undefined : this.#hear(nowMs);
    const isNew = token.asOf === undefined;
    const finding = isNew ? Promise.all(token.digests.map((digest) => this.#store.get(digest))) : undefined;
    const heard = hearing ? await hearing : before;
    // It may have been revoked since: without an answer nobody is let in.
    if (heard === undefined) return UNAVAILABLE;
    if (!finding) {
      if (this.#isKnown(token)) return token.fault;
      token.asOf = undefined;
      return this.#find(token, nowMs);
    }
    const replies = await finding;
    const found = replies.flatMap((reply) => (reply.state === "ok" ? [reply.value] : []));
    if (found.length < replies.length) return UNAVAILABLE;
    token.fault = found.some((record) => isRevokedBy(record, token)) ? REVOKED : undefined;
    token.asOf = heard;
    return token.fault;
  }

  /** Asks for changes, once however many wait; the news that an answer which was asked for now is not older than, or undefined. */
  #hear(nowMs: number): Promise<number | undefined> {
    this.#hearing ??= this.#ask(nowMs).finally(() => {
      this.#hearing = undefined;
    });
    return this.#hearing;
  }

  async #ask(nowMs: number): Promise<number | undefined> {
    const before = this.#news;
    const reply = await this.#store.changes(this.#mark);
    if (reply.state !== "ok") return undefined;
    this.#age.checked(nowMs);
    const { mark, digests } = reply.value;
    if (this.#mark === mark) return before;
    this.#mark = mark;
    this.#note(digests);
    // Something else was heard meanwhile: of that nothing can be said.
    return this.#news === before + 1 ? this.#news : before;
  }

  #note(digests: KeyChanges["digests"]): void {
    this.#news++;
    if (digests === "all" || this.#changed.size + digests.length > MAX_CHANGED) {
      this.#allChanged = this.#news;
      this.#changed.clear();
    } else for (const digest of digests) this.#changed.set(digest, this.#news);
  }
}

const instances = new WeakMap<Stores, RevokedTokens>();

/** One for each set of stores: all authenticators, the gateways of later configs and the admin API share it. */
export function revokedTokensOf(stores: Stores): RevokedTokens {
  const known = instances.get(stores) ?? new RevokedTokens(stores.revoked);
  instances.set(stores, known);
  return known;
}
