/** One of two processes on a store file: claims the same 300 keys as the other and writes all that it can beside. */
import { createSqliteStores } from "../../lib/stores/sqlite/sqlite-stores.ts";

const stores = createSqliteStores({
  file: process.argv[2]!,
  schedule(work) {
    const immediate = setImmediate(work);
    return () => clearImmediate(immediate);
  },
});
const nowMs = Date.now();
const claimed: string[] = [];
let unavailable = 0;
for (let index = 0; index < 300; index++) {
  const key = `claim ${index}`;
  const reply = await stores.once.claim(key, 60_000, nowMs);
  if (reply.state === "unavailable") unavailable++;
  else if (reply.value.state === "claimed") claimed.push(key);
  await stores.log.append("records", { index }, nowMs);
  await stores.blobs.set(`blob ${index}`, new Uint8Array(2000), { ttlMs: 60_000, tags: ["t"] }, nowMs);
  const rule = { algorithm: "period", limit: 1e6, startMs: 0, endMs: nowMs + 60_000 } as const;
  await stores.counters.take([{ key, rule, cost: 1, enforce: true }], nowMs);
  await new Promise((resolve) => setImmediate(resolve));
}
await stores.close();
process.stdout.write(JSON.stringify({ claimed, unavailable }));
