/** The Redis of bench/counters.ts, with the bridge before it, in a process of its own; ends with its parent. */
import { RespConnection } from "../test/support/redis/resp-connection.ts";
import { startUpstash } from "../test/support/redis/upstash-under-test.ts";

const { redis, bridge, stop } = await startUpstash();
const connection = new RespConnection(redis.port);

process.on("message", async () => {
  const stats = (await connection.send(["INFO", "commandstats"])) as string;
  const calls = [...stats.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].filter(([, name]) => name !== "info");
  process.send?.({ trips: bridge.requests, commands: calls.reduce((total, [, , count]) => total + Number(count), 0) });
});
process.on("disconnect", async () => {
  connection.close();
  await stop();
  process.exit();
});
process.send?.({ url: bridge.url, token: bridge.token });
