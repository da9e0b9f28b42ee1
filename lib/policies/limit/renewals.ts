/** Keeps the places of requests that are under way: a lease ends by itself, and an answer may stream for hours. */

import type { Deps } from "../../contract/deps.ts";
import type { Exchange } from "../../contract/exchange.ts";
import { LEASE_MS } from "./limit-counter.ts";
import { type LeaseCharge, renewLease } from "./pending-charge.ts";

/** Two renewals may fail before a lease is lost. */
const RENEW_MS = LEASE_MS / 3;

export class Renewals {
  readonly #deps: Deps;
  /** By the state that a request shares with the copies that a cache or a mirror sends: they hold the same places. */
  readonly #held = new Map<Exchange["state"], readonly LeaseCharge[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  hold({ state }: Exchange, leases: readonly LeaseCharge[]): void {
    this.#held.set(state, leases);
    // One timer for all, so that what is due goes to the store in one trip.
    this.#timer ??= setInterval(() => this.#renew(), RENEW_MS).unref();
  }

  drop({ state }: Exchange): void {
    this.#held.delete(state);
    if (this.#held.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #renew(): void {
    const { stores, clock, defer } = this.#deps;
    for (const leases of this.#held.values()) {
      for (const lease of leases) {
        const renewed = renewLease(lease, stores, clock.now());
        if (renewed instanceof Promise) defer(renewed);
      }
    }
  }
}
