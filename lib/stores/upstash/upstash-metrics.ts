/** Sums as Redis hashes, one for each table. A batch is one script, and is added once however often it is sent. */
import { BATCH_ID_MS, MAX_METRIC_NAMES, type MetricBatch, type Metrics } from "../../contract/stores/metrics.ts";
import type { StoreReply } from "../../contract/stores/reply.ts";
import { script } from "./script.ts";
import { reply, type Trips } from "./trips.ts";

/** KEYS: the batch's id, then the tables. ARGV: for each table ttl or "", number of names, then name and sum in turn. */
const addScript = script(`
if not redis.call("SET", KEYS[1], "1", "NX", "PX", ${BATCH_ID_MS}) then return 0 end
local at = 1
for i = 2, #KEYS do
  local room = ${MAX_METRIC_NAMES} - redis.call("HLEN", KEYS[i])
  local ttl, count = ARGV[at], tonumber(ARGV[at + 1])
  for j = at + 2, at + 2 * count, 2 do
    if room > 0 or redis.call("HEXISTS", KEYS[i], ARGV[j]) == 1 then
      local before = redis.call("HINCRBY", KEYS[i], ARGV[j], ARGV[j + 1])
      if before == tonumber(ARGV[j + 1]) then room = room - 1 end
    end
  end
  at = at + 2 + 2 * count
  if ttl ~= "" then redis.call("PEXPIRE", KEYS[i], ttl) end
end
return 1
`);

export class UpstashMetrics implements Metrics {
  readonly #trips: Trips;
  readonly #prefix: string;

  constructor(trips: Trips, prefix: string) {
    this.#trips = trips;
    this.#prefix = `${prefix}metrics:`;
  }

  add({ id, tables }: MetricBatch): Promise<StoreReply<void>> {
    const keys = [`${this.#prefix}batch:${id}`, ...tables.map(({ name }) => this.#prefix + name)];
    const args = tables.flatMap(({ ttlMs, sums }) => [ttlMs ?? "", sums.size, ...[...sums].flat()]);
    return reply(this.#trips.run(addScript, keys, args).then(() => {}));
  }

  read(tables: readonly string[]): Promise<StoreReply<readonly ReadonlyMap<string, number>[]>> {
    // The SDK leaves the answer as Redis gives it: name, sum, name, sum.
    const found = tables.map((name) => this.#trips.send<unknown>((pipeline) => pipeline.hgetall(this.#prefix + name)));
    return reply(Promise.all(found).then((hashes) => hashes.map((hash) => sumsOf((hash ?? []) as readonly string[]))));
  }
}

function sumsOf(pairs: readonly string[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (let i = 0; i < pairs.length; i += 2) sums.set(pairs[i]!, Number(pairs[i + 1]));
  return sums;
}
