/** One of several processes on one Redis: its share of the clients takes until it was refused in several windows of each limit, and reports what it got. */
import { createUpstashStores } from "../../lib/stores/upstash/upstash-stores.ts";
import { CLIENTS, CONTESTED, FLEET_RULES, type FleetReport, PROCESSES } from "./fleet-rules.ts";

const [url, token, prefix, index] = process.argv.slice(2) as [string, string, string, string];
const { counters } = createUpstashStores({ url, token, prefix, budgetMs: 30_000 });
const report: FleetReport = {};

function isDone(): boolean {
  const contested = (name: string) => Object.values(report[name] ?? {}).filter(({ refused }) => refused > 0).length;
  return Object.keys(FLEET_RULES).every((name) => contested(name) >= CONTESTED);
}

async function client(): Promise<void> {
  while (!isDone()) {
    for (const [key, { rule, exact }] of Object.entries(FLEET_RULES)) {
      const reply = await counters.take([{ key, rule, cost: 1, enforce: true, exact }], Date.now());
      if (reply.state !== "ok") throw new Error(`unavailable: ${reply.reason}`);
      const { allowed, resetMs } = reply.value.counts[0]!;
      report[key] ??= {};
      report[key][resetMs] ??= { allowed: 0, refused: 0 };
      report[key][resetMs][allowed ? "allowed" : "refused"]++;
    }
    // What is refused without a trip must not keep the others from being heard.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const share = Math.ceil((CLIENTS - Number(index)) / PROCESSES);
process.send?.("ready");
process.once("message", async () => {
  await Promise.all(Array.from({ length: share }, client));
  process.send?.(report, () => process.exit());
});
