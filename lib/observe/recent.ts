/** The last requests of this instance, for the console. Bounded; gone with the instance. */
import type { RequestRecord } from "./record.ts";

export interface RecentRecords {
  add(record: RequestRecord): void;
  /** Newest first. */
  list(): RequestRecord[];
}

const KEPT = 200;

export function createRecentRecords(): RecentRecords {
  const ring: RequestRecord[] = [];
  let next = 0;
  return {
    add(record) {
      ring[next] = record;
      next = (next + 1) % KEPT;
    },
    list: () => [...ring.slice(next), ...ring.slice(0, next)].reverse(),
  };
}
