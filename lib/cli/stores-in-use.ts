/** Which stores a gateway with this environment would use, without opening any. */
import { join } from "node:path";
import type { Environment } from "../config/env.ts";

export interface StoresInUse {
  readonly node: string;
  readonly vercel: string;
}

export function storesInUse({ redis, storePrefix, dataDir }: Environment): StoresInUse {
  if (redis) {
    const shared = `Redis at ${new URL(redis.url).host}, names begin with ${storePrefix}`;
    return { node: shared, vercel: shared };
  }
  return {
    node: `SQLite in ${join(dataDir, "frontdesk.db")}, short counts in memory`,
    vercel: "the memory of each instance (there is no Redis): nothing is shared or lasts",
  };
}
