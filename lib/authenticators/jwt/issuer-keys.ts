/**
 * An issuer's keys: found by its metadata or at a stated address, fetched once, kept in the stores for other instances, renewed
 * in the background, and used on while the issuer is away. No token decides where keys come from, nor how often they are fetched.
 */
import { createHash } from "node:crypto";
import type { JWK } from "jose";
import type { Deps } from "../../contract/deps.ts";
import { usableKeys } from "../../crypto/usable-keys.ts";
import { fetchKeys } from "./fetch-keys.ts";
import { createKeySet, type KeyHint } from "./key-set.ts";
import type { KeySource, KeysAddress, KeysAway } from "./key-source.ts";

/** From this age on, keys are renewed while they are used. */
const RENEW_MS = 10 * 60_000;
/** Keys that could not be renewed for so long are not used any more. */
const MAX_AGE_MS = 24 * 3_600_000;
/** The longest that a request waits for keys, counted from when they were asked for. */
const WAIT_MS = 3_000;
/** Between two attempts: an unknown `kid` in a token, which costs an attacker nothing, asks the issuer no more often than this. */
const COOLDOWN_MS = 30_000;
/** The same while there are no keys at all. */
const RETRY_MS = 5_000;

interface Held {
  /** To tell whether others came. */
  readonly text: string;
  readonly keysFor: ReturnType<typeof createKeySet>;
  readonly fetchedMs: number;
}

interface Attempt {
  readonly startedMs: number;
  /** Settled once there are keys, if only those that another instance left. */
  readonly found: PromiseWithResolvers<void>;
  done: Promise<void>;
  isRunning: boolean;
}

export class IssuerKeys implements KeySource {
  readonly #address: KeysAddress;
  readonly #deps: Deps;
  readonly #onChange: () => void;
  readonly #blob: string;
  #held: Held | undefined;
  #attempt: Attempt | undefined;
  #fault = "";

  constructor(address: KeysAddress, deps: Deps, onChange: () => void) {
    this.#address = address;
    this.#deps = deps;
    this.#onChange = onChange;
    const name = createHash("sha256").update(JSON.stringify([address.issuer, address.jwks]));
    this.#blob = `jwks:${name.digest("base64url")}`;
  }

  async keysFor(hint: KeyHint): Promise<readonly CryptoKey[] | KeysAway> {
    if (!this.#usable()) await this.#renewed(RETRY_MS, true);
    const held = this.#usable();
    if (!held) return { away: this.#fault || `no keys of ${this.#name} within ${WAIT_MS / 1000} s` };
    const keys = await held.keysFor(hint);
    if (keys.length > 0) return keys;
    // Perhaps the issuer has rotated its keys since.
    await this.#renewed(COOLDOWN_MS, false);
    return this.#held!.keysFor(hint);
  }

  tend(): void {
    const held = this.#held;
    if (held && this.#deps.clock.now() - held.fetchedMs >= RENEW_MS) this.#start(COOLDOWN_MS, true);
  }

  get #name(): string {
    return this.#address.issuer ?? this.#address.jwks!;
  }

  #usable(): Held | undefined {
    const held = this.#held;
    return held && this.#deps.clock.now() - held.fetchedMs < MAX_AGE_MS ? held : undefined;
  }

  /** Waits for an attempt that is due or under way, together with all others who do, and never beyond its budget. */
  async #renewed(pauseMs: number, fromStores: boolean): Promise<void> {
    const isFirst = this.#attempt === undefined;
    const attempt = this.#start(pauseMs, fromStores);
    // After one that failed, nobody waits again before there are keys: the next runs in the background.
    if (!attempt.isRunning || !(isFirst || this.#usable() || this.#fault === "")) return;
    const leftMs = attempt.startedMs + WAIT_MS - this.#deps.clock.now();
    if (leftMs > 0) await withinMs(Math.min(leftMs, WAIT_MS), fromStores ? attempt.found.promise : attempt.done);
  }

  /** One at a time, and not before the pause after the last is over. */
  #start(pauseMs: number, fromStores: boolean): Attempt {
    const nowMs = this.#deps.clock.now();
    const last = this.#attempt;
    if (last && (last.isRunning || nowMs - last.startedMs < pauseMs)) return last;
    const attempt: Attempt = {
      startedMs: nowMs,
      found: Promise.withResolvers(),
      done: Promise.resolve(),
      isRunning: true,
    };
    this.#attempt = attempt;
    attempt.done = this.#renew(fromStores).finally(() => {
      attempt.isRunning = false;
      attempt.found.resolve();
    });
    this.#deps.defer(attempt.done);
    return attempt;
  }

  async #renew(fromStores: boolean): Promise<void> {
    if (fromStores && (await this.#takeStored())) return;
    try {
      const keys = await fetchKeys(this.#address, this.#deps.call);
      const fetchedMs = this.#deps.clock.now();
      this.#adopt(keys, fetchedMs);
      const value = Buffer.from(JSON.stringify({ fetchedMs, keys }));
      // A store that is away costs the others a fetch of their own.
      await this.#deps.stores.blobs.set(this.#blob, value, { ttlMs: MAX_AGE_MS }, fetchedMs);
    } catch (error) {
      this.#fault = `the keys of ${this.#name} could not be had: ${textOf(error)}`;
      this.#deps.log.warn("an issuer's keys could not be fetched", { issuer: this.#name, reason: textOf(error) });
    }
  }

  /** What another instance has fetched; true where it is new enough. What is older is used until the issuer has answered. */
  async #takeStored(): Promise<boolean> {
    const nowMs = this.#deps.clock.now();
    const reply = await this.#deps.stores.blobs.get(this.#blob, nowMs);
    if (reply.state !== "ok" || !reply.value) return false;
    try {
      const { fetchedMs, keys } = JSON.parse(Buffer.from(reply.value.value).toString("utf8")) as {
        fetchedMs: number;
        keys: JWK[];
      };
      if (!(nowMs - fetchedMs < MAX_AGE_MS) || (this.#held && this.#held.fetchedMs >= fetchedMs)) return false;
      this.#adopt(usableKeys({ keys }), fetchedMs);
      return nowMs - fetchedMs < RENEW_MS;
    } catch {
      return false;
    }
  }

  #adopt(keys: readonly JWK[], fetchedMs: number): void {
    const text = JSON.stringify(keys);
    const isSame = this.#held?.text === text;
    this.#held = { text, fetchedMs, keysFor: isSame ? this.#held!.keysFor : createKeySet(keys) };
    this.#fault = "";
    this.#attempt?.found.resolve();
    if (!isSame) this.#onChange();
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function withinMs(ms: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([done, late]);
  clearTimeout(timer);
}
