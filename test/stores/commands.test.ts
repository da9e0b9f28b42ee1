/** What a request costs in Redis, as Redis itself counts it: the tables in docs/limits.md. `UPDATE_DOCS=1` writes them anew. */
import { readFileSync, writeFileSync } from "node:fs";
import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { CounterRule, Counters, Take } from "#lib/contract/stores/counters.ts";
import type { Stores } from "#lib/contract/stores/stores.ts";
import { createUpstashStores } from "#lib/stores/upstash/upstash-stores.ts";
import { answered } from "../contracts/answered.ts";
import { RespConnection } from "../support/redis/resp-connection.ts";
import { startUpstash, type UpstashUnderTest } from "../support/redis/upstash-under-test.ts";

const DOCUMENT = new URL("../../docs/limits.md", import.meta.url);
/** Upstash's list price: $0.20 for 100,000. */
const DOLLARS_PER_COMMAND = 0.2 / 100_000;
const START_MS = 1_800_000_000_000;
const MINUTE_MS = 60_000;

const sliding = { algorithm: "sliding-window", limit: 100_000, windowMs: MINUTE_MS } as const;
const fixed = { algorithm: "fixed-window", limit: 100_000, windowMs: MINUTE_MS } as const;
const bucket = { algorithm: "token-bucket", limit: 100_000, refill: 100, windowMs: MINUTE_MS } as const;
const quota = { algorithm: "period", limit: 100_000, startMs: START_MS, endMs: START_MS + 86_400_000 } as const;
const places = { algorithm: "concurrency", limit: 100_000, leaseMs: MINUTE_MS } as const;
const taking = (...rules: CounterRule[]): Take[] =>
  rules.map((rule, index) => ({ key: `k${index}`, rule, cost: 1, enforce: true }));
const take = (counters: Counters, nowMs: number, ...rules: CounterRule[]) => answered(counters.take(taking(...rules), nowMs));

let upstash: UpstashUnderTest;
let redis: RespConnection;
let prefixes = 0;
beforeAll(async () => {
  upstash = await startUpstash();
  redis = new RespConnection(upstash.redis.port);
});
afterAll(async () => {
  vi.useRealTimers();
  redis.close();
  await upstash.stop();
});

const open = (): Stores => createUpstashStores({ ...upstash.bridge, prefix: `fd:commands:${++prefixes}:`, budgetMs: 30_000 });

interface Cost {
  readonly commands: number;
  readonly trips: number;
}

/** Commands by Redis's own count, those inside scripts too, for each of `requests` runs, after one that is not counted. */
async function costOf(work: (nowMs: number) => Promise<unknown>, requests = 10, stepMs = 1): Promise<Cost> {
  const at = async (request: number) => {
    const nowMs = START_MS + request * stepMs;
    vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
    await work(nowMs);
  };
  await at(0);
  await redis.send(["CONFIG", "RESETSTAT"]);
  const before = upstash.bridge.requests;
  for (let request = 1; request <= requests; request++) await at(request);
  const stats = (await redis.send(["INFO", "commandstats"])) as string;
  const calls = [...stats.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].filter(([, name]) => !/^(?:config|info)/.test(name!));
  const commands = calls.reduce((total, [, , count]) => total + Number(count), 0);
  return { commands: commands / requests, trips: (upstash.bridge.requests - before) / requests };
}

/** The same limits by the library alone, one after the other's promise in one turn, over one client of the SDK. */
async function costOfLibrary(count: number): Promise<Cost> {
  const { url, token } = upstash.bridge;
  const client = new Redis({ url, token, enableTelemetry: false, automaticDeserialization: false });
  const limiters = Array.from(
    { length: count },
    (_, index) =>
      new Ratelimit({
        redis: client,
        prefix: `library:${++prefixes}:${index}`,
        limiter: Ratelimit.slidingWindow(100_000, "60 s"),
        ephemeralCache: false,
        enableTelemetry: false,
      }),
  );
  return costOf(() => Promise.all(limiters.map((limiter) => limiter.limit("k"))));
}

const number = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(3).replace(/0$/, ""));
const row = (what: string, { commands, trips }: Cost) =>
  `| ${what} | ${number(commands)} | ${number(trips)} | $${(commands * DOLLARS_PER_COMMAND * 1e6).toFixed(2)} |`;

/** Traffic of one key by lease on one instance. */
async function costOfLeases(rule: CounterRule, perSecond: number): Promise<Cost> {
  const { counters } = open();
  return costOf((nowMs) => answered(counters.take([{ ...taking(rule)[0]!, exact: false }], nowMs)), 2_000, 1_000 / perSecond);
}

async function costOfBlocked(rule: CounterRule): Promise<Cost> {
  const { counters } = open();
  const small = { ...rule, limit: 1 } as CounterRule;
  for (let request = 0; request < 3; request++) {
    vi.useFakeTimers({ toFake: ["Date"], now: START_MS });
    await take(counters, START_MS, small);
  }
  return costOf((nowMs) => take(counters, nowMs, small));
}

/** With somebody else in another place. */
async function costOfPlaces(): Promise<Cost> {
  const { counters } = open();
  await take(counters, START_MS, places);
  return costOf(async (nowMs) => {
    const [count] = (await take(counters, nowMs, places)).counts;
    await answered(counters.release("k0", places, count!.lease!));
  });
}

async function costOfSettled(rule: CounterRule): Promise<Cost> {
  const { counters } = open();
  return costOf(async (nowMs) => {
    await take(counters, nowMs, rule);
    await answered(counters.settle("k0", rule, 5, nowMs));
  });
}

function costOfRules(...rules: CounterRule[]): Promise<Cost> {
  const { counters } = open();
  return costOf((nowMs) => take(counters, nowMs, ...rules));
}

test("the tables in docs/limits.md are what Redis counts", { timeout: 60_000 }, async () => {
  const rows = [
    ["sliding window", await costOfRules(sliding)],
    ["fixed window or quota", await costOfRules(fixed)],
    ["token bucket", await costOfRules(bucket)],
    ["concurrency: taken and given back", await costOfPlaces()],
    ["two sliding windows", await costOfRules(sliding, sliding)],
    ["three sliding windows", await costOfRules(sliding, sliding, sliding)],
    ["sliding window and quota", await costOfRules(sliding, quota)],
    ["sliding window, token bucket and quota", await costOfRules(sliding, bucket, quota)],
    ["fixed window or quota, settled by the answer", await costOfSettled(fixed)],
    ["sliding window by lease, 500 requests a second", await costOfLeases(sliding, 500)],
    ["sliding window by lease, 10 requests a second", await costOfLeases(sliding, 10)],
    ["quota by lease, 10 requests a second", await costOfLeases(quota, 10)],
    ["any of them, for a caller who is blocked", await costOfBlocked(sliding)],
  ] as const;
  const library = [await costOfLibrary(1), await costOfLibrary(2), await costOfLibrary(3)] as const;
  const cost = Object.fromEntries(rows);

  // What the tables are for.
  expect(cost["two sliding windows"]!.commands).toBeLessThan(library[1].commands);
  expect(cost["three sliding windows"]!.commands).toBeLessThan(library[2].commands);
  for (const [, { trips }] of rows.slice(4, 8)) expect(trips).toBe(1);
  for (const [name, { trips, commands }] of rows.filter(([name]) => name.includes("lease"))) {
    expect([name, trips < 0.1, commands < 0.5]).toEqual([name, true, true]);
  }
  expect(cost["any of them, for a caller who is blocked"]).toEqual({ commands: 0, trips: 0 });

  const table = [
    "| limits of the request | commands | trips | for a million requests |",
    "|---|---|---|---|",
    ...rows.map(([what, each]) => row(what, each)),
    ...library.map((each, index) =>
      row(`*for comparison:* ${["one", "two", "three"][index]} by \`@upstash/ratelimit\` alone`, each),
    ),
  ].join("\n");
  const text = readFileSync(DOCUMENT, "utf8");
  const block = /(<!-- commands: [^>]+ -->\n)([\s\S]*?)(\n<!-- \/commands -->)/;
  if (process.env["UPDATE_DOCS"])
    writeFileSync(
      DOCUMENT,
      text.replace(block, (_, head, __, foot) => head + table + foot),
    );
  expect(block.exec(readFileSync(DOCUMENT, "utf8"))?.[2]).toBe(table);
});
