/** A Redis with a bridge in front of it, for one test file. */
import { type Bridge, startBridge } from "./bridge.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";

export interface UpstashUnderTest {
  readonly redis: RedisServer;
  readonly bridge: Bridge;
  stop(): Promise<void>;
}

export async function startUpstash(): Promise<UpstashUnderTest> {
  const redis = await startRedis();
  const bridge = await startBridge({ redisPort: redis.port });
  return {
    redis,
    bridge,
    async stop() {
      await bridge.stop();
      await redis.stop();
    },
  };
}
