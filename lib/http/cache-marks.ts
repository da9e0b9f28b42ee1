/** Fields by which caches and CDNs on the way say that they took part in an answer. */
import type { HeaderList } from "./header-list.ts";

const MARKS = [
  "age",
  "x-cache",
  "x-cache-hits",
  "cf-cache-status",
  "x-vercel-cache",
  "x-nextjs-cache",
  "x-proxy-cache",
  "cdn-cache",
];

/** `x-cache: HIT`, each of them. */
export function cacheMarksIn(headers: Pick<HeaderList, "get">): string[] {
  return MARKS.flatMap((name) => {
    const value = headers.get(name);
    return value === undefined ? [] : [`${name}: ${value}`];
  });
}
