/** The stores that the environment names, for a process on a machine: Redis where it is set, else the data folder. */
import { resolve } from "node:path";
import type { Environment } from "../config/env.ts";
import { ConfigError } from "../config/issue.ts";
import type { Log } from "../contract/deps.ts";
import type { Stores } from "../contract/stores/stores.ts";
import { createStores } from "../stores/create-stores.ts";

export interface OpenStoresOptions {
  readonly cwd: string;
  readonly log: Log;
  /** How long one trip to Redis may take, where that is another time than for requests. */
  readonly budgetMs?: number;
  /** For a process that goes on serving: a revocation that can't be written is held in memory. */
  readonly holdsRevocations?: boolean;
}

/** Throws a ConfigError that names the variable, where the folder or its file can't be used. */
export async function openStores(
  { redis, storePrefix: prefix, dataDir }: Environment,
  { cwd, log, budgetMs, holdsRevocations }: OpenStoresOptions,
): Promise<Stores> {
  const upstash = redis && { ...redis, ...(budgetMs !== undefined && { budgetMs }) };
  try {
    return await createStores({ upstash, prefix, dataDir: resolve(cwd, dataDir), host: "node", holdsRevocations, log });
  } catch (error) {
    const message = `${error instanceof Error ? error.message : error}.`;
    throw new ConfigError([{ rule: "variable-value", severity: "error", path: "GATEWAY_DATA_DIR", message }], "environment");
  }
}
