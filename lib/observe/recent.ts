/** The last requests of this instance, for the console. Bounded; gone with the instance. */
import type { RequestRecord } from "../contract/record.ts";

export interface RecentRecords {
  add(record: RequestRecord): void;
  /** Newest first. */
  list(): RequestRecord[];
}

/** As many as the page shows. With much more, records outlive two collections of a busy host's young objects, and each one costs twice. */
const KEPT = 50;

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
