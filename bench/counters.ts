/**
 * `node bench/counters.ts`: what taking a limit costs, the store's part alone: CPU of this process, trips and Redis commands for each
 * take. The exact ways go over HTTP to a bridge and a real Redis in another process, as in production to Upstash.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Counters, Take } from "../lib/contract/stores/counters.ts";
import { createMemoryStores } from "../lib/stores/memory/memory-stores.ts";
import { createUpstashStores } from "../lib/stores/upstash/upstash-stores.ts";
import { median } from "./median.ts";

const ROUNDS = 9;
/** Requests that are on their way at once: some share a trip, as they do in a gateway. */
const AT_ONCE = 8;
/** Callers, so that nobody's key alone is warm. */
const CALLERS = 100;

const sliding = { algorithm: "sliding-window", limit: 1_000_000_000, windowMs: 60_000 } as const;
const fixed = { algorithm: "fixed-window", limit: 1_000_000_000, windowMs: 60_000 } as const;
const takes = (more: Partial<Take>, ...rules: Take["rule"][]): Take[][] =>
  Array.from({ length: CALLERS }, (_, caller) =>
    rules.map((rule, index) => ({ key: `${caller}:${index}`, rule, cost: 1, enforce: true, ...more })),
  );

const bridge = fork(join(import.meta.dirname, "counters-redis.ts"));
const [{ url, token }] = (await once(bridge, "message")) as [{ url: string; token: string }];
const redis = createUpstashStores({ url, token, prefix: "fd:bench:", budgetMs: 10_000 });
const { counters: memory } = createMemoryStores();

interface Row {
  readonly title: string;
  readonly counters: Counters;
  readonly takes: readonly Take[][];
  readonly count: number;
  readonly cpu: number[];
  trips: number;
  commands: number;
}

const row = (title: string, counters: Counters, takes: readonly Take[][], count: number): Row => ({
  title,
  counters,
  takes,
  count,
  cpu: [],
  trips: 0,
  commands: 0,
});
const rows = [
  row("in memory", memory, takes({}, sliding), 200_000),
  row("by lease", redis.counters, takes({ exact: false }, fixed), 200_000),
  row("exact, by @upstash/ratelimit", redis.counters, takes({}, sliding), 4_000),
  row("exact, by our script", redis.counters, takes({}, fixed), 4_000),
  row("exact, three at once", redis.counters, takes({}, sliding, fixed, sliding), 4_000),
];

async function redisCounts(): Promise<{ trips: number; commands: number }> {
  bridge.send("counts");
  const [counts] = (await once(bridge, "message")) as [{ trips: number; commands: number }];
  return counts;
}

/** Microseconds of CPU for each take. */
async function measure({ counters, takes, count }: Row): Promise<number> {
  let sent = 0;
  const before = process.cpuUsage();
  const client = async () => {
    while (sent < count) {
      const own = takes[sent++ % CALLERS]!;
      const reply = counters.take(own, Date.now());
      const { state } = reply instanceof Promise ? await reply : reply;
      if (state !== "ok") throw new Error("Redis did not answer");
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

for (let round = -2; round < ROUNDS; round += 1) {
  for (const each of rows) {
    const before = await redisCounts();
    const cpu = await measure(each);
    const after = await redisCounts();
    if (round < 0) continue;
    each.cpu.push(cpu);
    each.trips += (after.trips - before.trips) / each.count / ROUNDS;
    each.commands += (after.commands - before.commands) / each.count / ROUNDS;
  }
}
console.log(`\n${"Taking a limit".padEnd(32)} ${"CPU".padStart(10)} ${"trips".padStart(10)} ${"commands".padStart(10)}`);
for (const { title, cpu, trips, commands } of rows) {
  const numbers = [`${median(cpu).toFixed(1)} µs`, trips.toFixed(4), commands.toFixed(4)];
  console.log(`${title.padEnd(32)} ${numbers.map((text) => text.padStart(10)).join(" ")}`);
}
await redis.close();
bridge.disconnect();
