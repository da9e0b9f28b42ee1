/** The order in which routes are asked, as a list: the first whose host, path and conditions fit a request is the one that wins. */
import type { Route } from "../engine/route.ts";

type ConfigPath = Pick<Route, "host" | "path" | "when">;

export function inMatchingOrder<T extends ConfigPath>(routes: readonly T[]): T[] {
  return routes.toSorted((a, b) => compareHosts(a.host, b.host) || comparePaths(a.path, b.path) || conditions(b) - conditions(a));
}

/** Exact, then the longest wildcard, then none. */
function compareHosts(a: string | undefined, b: string | undefined): number {
  const rank = (host: string | undefined) => (host === undefined ? 2 : host.startsWith("*.") ? 1 : 0);
  return rank(a) - rank(b) || (rank(a) === 1 ? b!.length - a!.length : 0) || compareText(a ?? "", b ?? "");
}

/** From the left, segment by segment: literal, `:name`, `*`. A path that ends comes before those that go on. */
function comparePaths(a: string, b: string): number {
  const [left, right] = [a.slice(1).split("/"), b.slice(1).split("/")];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [one, other] = [left[i]!, right[i]!];
    const order = kindOf(one, i === left.length - 1) - kindOf(other, i === right.length - 1);
    if (order !== 0) return order;
    if (kindOf(one, false) === 0 && one !== other) return compareText(one, other);
  }
  return left.length - right.length;
}

function kindOf(segment: string, isLast: boolean): 0 | 1 | 2 {
  if (isLast && segment.endsWith("*")) return 2;
  return segment.startsWith(":") ? 1 : 0;
}

function conditions({ when }: ConfigPath): number {
  return (when?.headers.length ?? 0) + (when?.query.length ?? 0);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
