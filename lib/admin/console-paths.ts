/** The console's pages below /gateway. Any other path there belongs to the endpoints, or to nobody. */
import type { Target } from "../http/target.ts";

export const CONSOLE_PAGES = ["requests", "routes", "consumers", "backends", "cache", "config", "audit"] as const;

export type ConsolePage = (typeof CONSOLE_PAGES)[number];

const PAGES: ReadonlySet<string> = new Set(CONSOLE_PAGES);

/** Pages, and the files that Next serves with them. */
export function isConsolePath({ segments }: Pick<Target, "segments">): boolean {
  const [, first] = segments;
  if (first === undefined || first === "" || first === "_next") return true;
  return segments.length === 2 && PAGES.has(first);
}
