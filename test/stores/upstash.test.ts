/** The stores in Redis: the contracts, through the SDK that runs in production and a bridge to a real Redis. */
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import type { MetricBatch } from "#lib/contract/stores/metrics.ts";
import { createUpstashStores } from "#lib/stores/upstash/upstash-stores.ts";
import { answered } from "../contracts/answered.ts";
import { blobsContract } from "../contracts/blobs.ts";
import { countersContract } from "../contracts/counters.ts";
import { keysContract } from "../contracts/keys.ts";
import { logContract } from "../contracts/log.ts";
import { metricsContract } from "../contracts/metrics.ts";
import { onceContract } from "../contracts/once.ts";
import { startUpstash, type UpstashUnderTest } from "../support/redis/upstash-under-test.ts";

let upstash: UpstashUnderTest;
let made = 0;
beforeAll(async () => {
  upstash = await startUpstash();
});
afterAll(() => upstash.stop());

/** A prefix of its own is an empty store. */
const make = async () => ({
  ...createUpstashStores({ ...upstash.bridge, prefix: `fd:contract:${++made}:`, budgetMs: 30_000, maxLogEntries: 200 }),
  // @upstash/ratelimit reads the process's clock.
  at: (nowMs: number) => vi.useFakeTimers({ toFake: ["Date"], now: nowMs }),
  async close() {
    vi.useRealTimers();
  },
});
countersContract("upstash", make);
keysContract("upstash", make);
keysContract("upstash, of revoked tokens", async () => {
  const { revoked, ...stores } = await make();
  return { ...stores, keys: revoked };
});
onceContract("upstash", make);
blobsContract("upstash", make);
logContract("upstash", make);
metricsContract("upstash", make);

test("a batch of metrics that is sent again is added once", async () => {
  const { metrics, close } = await make();
  onTestFinished(close);
  const batch: MetricBatch = { id: "again", tables: [{ name: "total", ttlMs: undefined, sums: new Map([["a", 1]]) }] };
  await answered(metrics.add(batch, Date.now()));
  await answered(metrics.add(batch, Date.now()));
  expect(await answered(metrics.read(["total"], Date.now()))).toEqual([new Map([["a", 1]])]);
});
