/** The stores of this environment, as the Node host opens them: Redis where it is set, else the data folder. */
import { resolve } from "node:path";
import type { Environment } from "../config/env.ts";
import type { Log } from "../policy.ts";
import { createStores } from "../stores/create-stores.ts";
import type { Stores } from "../stores/stores.ts";

/** A person waits, and a first connection takes longer than a request may. */
const BUDGET_MS = 10_000;

export function openStores(cwd: string, log: Log, environment: Environment): Promise<Stores> {
  const { redis, storePrefix: prefix, dataDir } = environment;
  const upstash = redis && { ...redis, budgetMs: BUDGET_MS };
  return createStores({ upstash, prefix, dataDir: resolve(cwd, dataDir), host: "node", log });
}
