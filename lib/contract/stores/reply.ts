/**
 * What a store answers: a value, or that it could not answer. `unavailable` is a third outcome beside yes and no, and every
 * caller must say what it does then. Stores in memory reply at once; the others return a promise. A store never throws or
 * rejects for an outage: it replies `unavailable`.
 */
export type StoreReply<T> = { readonly state: "ok"; readonly value: T } | Unavailable;

export interface Unavailable {
  readonly state: "unavailable";
  /** `timeout`: no answer within the budget. `refused`: no connection. `error`: the store answered with an error. */
  readonly reason: "timeout" | "refused" | "error";
}

export type Pending<T> = StoreReply<T> | Promise<StoreReply<T>>;

export function ok<T>(value: T): StoreReply<T> {
  return { state: "ok", value };
}

export function unavailable(reason: Unavailable["reason"]): Unavailable {
  return { state: "unavailable", reason };
}
