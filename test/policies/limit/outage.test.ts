import { beforeEach, describe, expect, test } from "vitest";
import type { CounterRule, Take } from "#lib/contract/stores/counters.ts";
import { unavailable } from "#lib/contract/stores/reply.ts";
import type { Stores } from "#lib/contract/stores/stores.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { gatewayOf, type TestGateway } from "../gateway.ts";
import { identify } from "./identify.ts";

let away: boolean;
let stores: Stores;
beforeEach(() => {
  away = true;
  const memory = createMemoryStores();
  const { counters } = createMemoryStores();
  const gone = async () => unavailable("timeout");
  stores = {
    ...memory,
    counters: {
      take: (takes: readonly Take[], nowMs: number) => (away ? gone() : counters.take(takes, nowMs)),
      peek: (takes: readonly Take[], nowMs: number) => (away ? gone() : counters.peek(takes, nowMs)),
      settle: (key: string, rule: CounterRule, delta: number, nowMs: number) =>
        away ? gone() : counters.settle(key, rule, delta, nowMs),
      renew: (key: string, rule: CounterRule, lease: string, nowMs: number) =>
        away ? gone() : counters.renew(key, rule, lease, nowMs),
      release: (key: string, rule: CounterRule, lease: string) => (away ? gone() : counters.release(key, rule, lease)),
      reset: (key: string, rule: CounterRule) => (away ? gone() : counters.reset(key, rule)),
    },
  };
});

const routeOf = (limit: unknown) => gatewayOf({ routes: [{ path: "/", limit, use: identify }] }, { stores });
const statuses = async ({ send }: TestGateway, count: number, headers: Record<string, string> = {}) => {
  const all: number[] = [];
  for (let i = 0; i < count; i++) all.push((await send({ headers })).status);
  return all;
};

describe("while the store of the counters is away", () => {
  test("half of a limit holds here, in the open", async () => {
    const gateway = routeOf({ requests: 4, per: "1m", name: "a" });
    const first = await gateway.send();
    expect(first.status).toBe(200);
    expect(first.headers.get("ratelimit-policy")).toBe('"a";q=2;w=60');
    expect(first.headers.get("ratelimit")).toBe('"a";r=1;t=60');
    expect(first.headers.get("x-gateway-limits")).toBe("local");
    expect(first.record.reason).toContain("the counters' store was away");
    expect(await statuses(gateway, 2)).toEqual([200, 429]);
  });

  test("one that allows does not hold, and says nothing of what is left", async () => {
    const gateway = routeOf({ requests: 1, per: "1m", onUnavailable: "allow" });
    expect(await statuses(gateway, 3)).toEqual([200, 200, 200]);
    const { headers } = await gateway.send();
    expect([headers.get("x-gateway-limits"), headers.has("ratelimit")]).toEqual(["open", false]);
  });

  test("one that denies is 503", async () => {
    const answer = await routeOf({ requests: 9, per: "1m", onUnavailable: "deny", name: "log-in" }).send();
    expect(answer).toMatchObject({ status: 503, record: { code: "store-unavailable" } });
    expect(answer.record.reason).toBe('the limit "log-in" denies while the store is away');
    expect(answer.headers.get("retry-after")).toBe("1");
  });

  test("where limits say different things, one that denies refuses and the others take nothing, in whatever rows", async () => {
    const gateway = routeOf([
      { requests: 4, per: "1m", by: "ip", name: "local" },
      { requests: 4, per: "1m", by: "consumer", name: "open", onUnavailable: "allow" },
      { requests: 4, per: "1m", by: "consumer", name: "strict", onUnavailable: "deny" },
    ]);
    expect(await statuses(gateway, 5)).toEqual([503, 503, 503, 503, 503]);
    const other = gatewayOf({ routes: [{ path: "/", limit: { requests: 4, per: "1m", by: "ip", name: "local" } }] }, { stores });
    expect(await statuses(other, 3)).toEqual([200, 200, 429]);
  });

  test("in shadow mode nothing is refused", async () => {
    expect(await statuses(routeOf({ requests: 1, per: "1m", onUnavailable: "deny", mode: "shadow" }), 2)).toEqual([200, 200]);
  });

  test("places at once are given back here", async () => {
    expect(await statuses(routeOf({ requests: 2, algorithm: "concurrency" }), 4)).toEqual([200, 200, 200, 200]);
  });

  test("guessing stays bounded", async () => {
    const gateway = routeOf({ requests: 4, per: "1m", count: "auth-failures" });
    expect(await statuses(gateway, 4, { "x-user": "ada", "x-password": "wrong" })).toEqual([401, 401, 429, 429]);
  });

  test("when it is back it counts what came since", async () => {
    const gateway = routeOf({ requests: 2, per: "1m" });
    expect(await statuses(gateway, 2)).toEqual([200, 429]);
    away = false;
    expect(await statuses(gateway, 3)).toEqual([200, 200, 429]);
    expect((await gateway.send()).headers.has("x-gateway-limits")).toBe(false);
  });
});
