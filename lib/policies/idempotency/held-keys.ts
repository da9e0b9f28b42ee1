/** The keys of requests that are being carried out: taken before the backend is asked, then kept with its answer, given back, or left locked. */

import type { Deps } from "../../contract/deps.ts";
import type { Exchange } from "../../contract/exchange.ts";
import { Local } from "../../contract/local.ts";
import type { MaybePromise } from "../../contract/maybe-promise.ts";
import type { AttemptRecord } from "../../contract/record.ts";
import type { StoreReply } from "../../contract/stores/reply.ts";
import type { Kept } from "./keeping-sink.ts";
import type { KeptAnswer } from "./kept-answer.ts";

/** A key that one request holds. */
export interface Held {
  readonly name: string;
  readonly token: string;
  readonly print: string;
  /** Of the backend's answer, as everybody would get it. */
  pairs: readonly string[] | undefined;
  isSettled: boolean;
  /** Lets go of the instance, which was kept for the outcome. */
  done: (() => void) | undefined;
}

/** By these a backend says that it has done nothing and may be asked again: RFC 9110 sections 15.5.2 and 15.5.9, 8470, 6585. */
const ASK_AGAIN = new Set([401, 408, 425, 429]);

export class HeldKeys {
  readonly #deps: Pick<Deps, "stores" | "clock" | "log" | "defer">;
  readonly #route: string;
  readonly #ttlMs: number;
  readonly #held = new Local<Held>();

  constructor(deps: Pick<Deps, "stores" | "clock" | "log" | "defer">, route: string, ttlMs: number) {
    this.#deps = deps;
    this.#route = route;
    this.#ttlMs = ttlMs;
  }

  of(exchange: Exchange): Held | undefined {
    return this.#held.get(exchange);
  }

  add(exchange: Exchange, key: Pick<Held, "name" | "token" | "print">): void {
    this.#held.set(exchange, { ...key, pairs: undefined, isSettled: false, done: undefined });
  }

  /**
   * What becomes of the key. Without a whole answer of the backend nobody knows whether it has done its work, or does it still:
   * then the key stays locked until `lock` is over, unless nothing was sent at all.
   */
  settle(exchange: Exchange, kept: Kept | undefined): void {
    const own = this.#held.get(exchange);
    if (!own || own.isSettled) return;
    own.isSettled = true;
    const { stores } = this.#deps;
    const { print, pairs } = own;
    const answer = pairs && kept;
    if (answer && answer.status < 500 && !ASK_AGAIN.has(answer.status)) {
      const body = answer.body ? Buffer.from(answer.body).toString("base64") : null;
      const value: KeptAnswer = { print, status: answer.status, pairs, body };
      const without = () => this.#complete(own, { ...value, pairs: [], body: null });
      this.#settled(exchange, orWithout(this.#complete(own, value), without), (done) => done);
    } else if (answer || !exchange.record.attempts.some(mayHaveDoneIt)) {
      this.#settled(exchange, stores.once.release(own.name, own.token), () => true);
    }
    own.done?.();
  }

  #complete({ name, token }: Held, value: KeptAnswer): MaybePromise<StoreReply<boolean>> {
    const { stores, clock } = this.#deps;
    return stores.once.complete(name, token, JSON.stringify(value), this.#ttlMs, clock.now());
  }

  #settled<T>(exchange: Exchange, reply: MaybePromise<StoreReply<T>>, isDone: (value: T) => boolean): void {
    const { defer, log } = this.#deps;
    if (reply instanceof Promise) {
      defer(reply.then((late) => this.#settled(exchange, late, isDone)));
      return;
    }
    if (reply.state === "ok" && isDone(reply.value)) return;
    const reason = reply.state === "ok" ? "its lock was over" : reply.reason;
    log.error("the outcome of a request could not be kept for its idempotency key", {
      route: this.#route,
      requestId: exchange.requestId,
      reason,
    });
  }
}

/** Where there is no room for an answer, it is kept that there was one: carried out again is worse than answered by a 409. */
function orWithout<T>(
  reply: MaybePromise<StoreReply<T>>,
  without: () => MaybePromise<StoreReply<T>>,
): MaybePromise<StoreReply<T>> {
  if (reply instanceof Promise) return reply.then((late) => orWithout(late, without));
  return reply.state === "unavailable" && reply.reason === "error" ? without() : reply;
}

function mayHaveDoneIt({ wasSent, status }: AttemptRecord): boolean {
  return wasSent && (status === undefined || status < 500);
}
