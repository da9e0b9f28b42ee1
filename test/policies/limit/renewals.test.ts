import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Deps } from "#lib/contract/deps.ts";
import type { Exchange } from "#lib/contract/exchange.ts";
import type { CounterRule } from "#lib/contract/stores/counters.ts";
import { LEASE_MS } from "#lib/policies/limit/limit-counter.ts";
import type { LeaseCharge } from "#lib/policies/limit/pending-charge.ts";
import { Renewals } from "#lib/policies/limit/renewals.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";

const rule: CounterRule = { algorithm: "concurrency", limit: 1, leaseMs: LEASE_MS };
const take = { key: "k", rule, cost: 1, enforce: true };

describe("a place that is held", () => {
  const stores = createMemoryStores();
  let renewals: Renewals;
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
    renewals = new Renewals({ stores, clock: { now: Date.now, monotonic: () => 0 }, defer: () => {} } as unknown as Deps);
  });
  afterEach(() => vi.useRealTimers());
  const isFree = () => {
    const reply = stores.counters.peek([take], Date.now());
    return reply.state === "ok" && reply.value[0]!.allowed;
  };

  test("stays held for hours, and is free again a minute after nobody renews it", () => {
    const taken = stores.counters.take([take], Date.now());
    const lease = taken.state === "ok" ? taken.value.counts[0]!.lease! : "";
    const exchange = { state: {} } as Exchange;
    const charge: LeaseCharge = { kind: "lease", key: "k", rule, lease };
    renewals.hold(exchange, [charge]);
    for (let minute = 0; minute < 300; minute++) {
      vi.advanceTimersByTime(60_000);
      expect(isFree()).toBe(false);
    }
    renewals.drop(exchange);
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(LEASE_MS);
    expect(isFree()).toBe(true);
  });
});
