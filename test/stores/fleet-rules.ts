/** The limits that a fleet of processes shares in fleet.test.ts: small, so that each window is fought over on a busy machine too. */
export const WINDOW_MS = 2_000;
/** A process goes on until it was refused in so many windows of each limit. */
export const CONTESTED = 3;
export const CLIENTS = 50;
export const PROCESSES = 4;

const windowMs = WINDOW_MS;
export const FLEET_RULES = {
  fixed: { rule: { algorithm: "fixed-window", limit: 10, windowMs }, exact: true },
  sliding: { rule: { algorithm: "sliding-window", limit: 10, windowMs }, exact: true },
  bucket: { rule: { algorithm: "token-bucket", limit: 10, refill: 5, windowMs }, exact: true },
  leased: { rule: { algorithm: "fixed-window", limit: 64, windowMs }, exact: false },
} as const;

/** What a process reports: units that were allowed and refused, by the end of the window that they were counted in. */
export type FleetReport = Record<string, Record<string, { allowed: number; refused: number }>>;
