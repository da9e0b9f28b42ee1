import { beforeEach, describe, expect, test } from "vitest";
import type { CounterRule, OnUnavailable, Take } from "#lib/contract/stores/counters.ts";
import { unavailable } from "#lib/contract/stores/reply.ts";
import type { Stores } from "#lib/contract/stores/stores.ts";
import { takeOrDegrade } from "#lib/stores/degraded-take.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";

const rule: CounterRule = { algorithm: "fixed-window", limit: 4, windowMs: 1000 };
let away: boolean;
let stores: Stores;
beforeEach(() => {
  away = true;
  const memory = createMemoryStores();
  const { counters } = createMemoryStores();
  stores = {
    ...memory,
    counters: Object.assign(Object.create(counters) as typeof counters, {
      take: async (takes: readonly Take[], nowMs: number) => (away ? unavailable("timeout") : counters.take(takes, nowMs)),
    }),
  };
});

const take = (key: string, onUnavailable?: OnUnavailable, more: Partial<Take> = {}): Take => ({
  key,
  rule,
  cost: 1,
  enforce: true,
  onUnavailable,
  ...more,
});
const ask = async (...takes: Take[]) => {
  const reply = await takeOrDegrade(takes, stores, 0);
  if (reply.state !== "ok") return reply.state;
  const { allowed, counts } = reply.value;
  return [allowed, ...counts.map(({ allowed: one, degraded: how, remaining }) => `${one} ${how} ${remaining}`)];
};

describe("while the store is away", () => {
  test("half of the limit is counted here", async () => {
    expect(await ask(take("a", "local"))).toEqual([true, "true local 1"]);
    expect(await ask(take("a", "local"))).toEqual([true, "true local 0"]);
    expect(await ask(take("a", "local"))).toEqual([false, "false local 0"]);
  });

  test("or nothing is, or nothing passes", async () => {
    expect(await ask(take("a", "allow"))).toEqual([true, "true allow 0"]);
    expect(await ask(take("a", "deny"))).toEqual([false, "false deny 0"]);
  });

  test("one that denies takes nothing from the others", async () => {
    expect(await ask(take("a", "local"), take("b", "allow"), take("c", "deny"))).toEqual([
      false,
      "true local 2",
      "true allow 0",
      "false deny 0",
    ]);
    expect(await ask(take("a", "local"))).toEqual([true, "true local 1"]);
  });

  test("nor does one that is used up here", async () => {
    await ask(take("a", "local", { cost: 2 }));
    expect(await ask(take("a", "local"), take("b", "local"))).toEqual([false, "false local 0", "true local 2"]);
    expect(await ask(take("b", "local", { cost: 2 }))).toEqual([true, "true local 0"]);
  });

  test("in shadow mode a limit that denies refuses nothing", async () => {
    expect(await ask(take("a", "deny", { enforce: false }), take("b", "local"))).toEqual([true, "false deny 0", "true local 1"]);
  });

  test("who did not say what holds then hears that it is away", async () => {
    expect(await ask(take("a"))).toBe("unavailable");
    expect(await ask(take("a"), take("b", "allow"))).toEqual([false, "false deny 0", "true allow 0"]);
  });
});

test("when it is back it counts from what it knew", async () => {
  await ask(take("a", "local"));
  away = false;
  expect(await ask(take("a", "local"))).toEqual([true, "true undefined 3"]);
});
