/** Stores in files of one test file, on a clock and with a schedule that are the test's. */
import { join } from "node:path";
import { createSqliteStores, type SqliteOptions } from "#lib/stores/sqlite/sqlite-stores.ts";
import { answered } from "../contracts/answered.ts";
import { temporaryFolder } from "../support/host-process.ts";

export const NOW_MS = 1_800_000_000_000;
export const DAY_MS = 86_400_000;
export const quota = { algorithm: "period", limit: 100, startMs: NOW_MS, endMs: NOW_MS + 30 * DAY_MS } as const;
export const hourly = { algorithm: "sliding-window", limit: 100, windowMs: DAY_MS / 24 } as const;
export const minutely = { algorithm: "fixed-window", limit: 100, windowMs: 60_000 } as const;

const folder = temporaryFolder();
let files = 0;
export const freshFile = (): string => join(folder, `${++files}.db`);

/** Stores whose writing behind is done when the test says so. */
export function openStores(file: string, more: Partial<SqliteOptions> = {}) {
  const due: (() => void)[] = [];
  const schedule = (work: () => void) => {
    due.push(work);
    return () => void due.splice(due.indexOf(work), 1);
  };
  const stores = createSqliteStores({ file, now: () => NOW_MS, schedule, ...more });
  const take = async (rule: typeof quota | typeof hourly | typeof minutely, cost = 1) =>
    (await answered(stores.counters.take([{ key: "k", rule, cost, enforce: true }], NOW_MS))).counts[0]!.remaining;
  return { ...stores, take, due, aSecondPasses: () => due.splice(0).forEach((work) => void work()) };
}
