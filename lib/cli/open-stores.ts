/** The stores of this environment, as the Node host opens them: Redis where it is set, else the data folder. */
import type { Environment } from "../config/env.ts";
import type { Log } from "../contract/deps.ts";
import type { Stores } from "../contract/stores/stores.ts";
import { openStores as open } from "../hosts/open-stores.ts";

/** A person waits, and a first connection takes longer than a request may. */
const BUDGET_MS = 10_000;

export function openStores(cwd: string, log: Log, environment: Environment): Promise<Stores> {
  return open(environment, { cwd, log, budgetMs: BUDGET_MS });
}
