/** How much is refused because there is more to do than can be done, by the priority of routes. Only a host that sees its own load says so. */

/** What is refused first stands lowest. */
export const PRIORITIES = ["low", "normal", "high"] as const;
export type Priority = (typeof PRIORITIES)[number];

export interface Load {
  /** 0: nothing; 1: all of the lowest priority; 1.5: and half of the next. */
  readonly shed: number;
  /** False where nobody looks at the event loop. */
  readonly isWatched: boolean;
  /** How late the event loop was when it was looked at last. */
  readonly lagMs: number;
  /** Whether this request is one of them; only asked where its priority is below `shed`. */
  refuses(priority: number): boolean;
}

export const NO_LOAD: Load = { shed: 0, isWatched: false, lagMs: 0, refuses: () => false };

/** In words, for people: `100 % of low, 50 % of normal`. */
export function describeShed(shed: number): string {
  return PRIORITIES.flatMap((name, index) => {
    const share = Math.round(Math.min(1, shed - index) * 100);
    return share > 0 ? [`${share} % of ${name}`] : [];
  }).join(", ");
}
