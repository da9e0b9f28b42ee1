/**
 * `node bench/match.ts`: what finding a route costs with 10 and with 10,000 of them, guard's parsing and match, as for a request.
 * Exits 1 where the larger takes more than 1.5 times as long.
 */
import type { CompiledRoute } from "../lib/config/compiled.ts";
import { HeaderList } from "../lib/http/header-list.ts";
import { parseTarget, type Target } from "../lib/http/target.ts";
import { createMatcher, type Matcher } from "../lib/match.ts";
import { createRoute, UNROUTED } from "../lib/route.ts";
import { median } from "./median.ts";

const SIZES = [10, 10_000] as const;
const AT_MOST = 1.5;
const ROUNDS = 21;
const MATCHES = 20_000;

/** As APIs have them: a few shapes under many names. */
function pathOf(index: number): string {
  const shapes = [`/api/service-${index}/*`, `/api/service-${index}/items`, `/v1/teams/team-${index}/:id`, `/files-${index}/:name/raw`];
  return shapes[index % shapes.length]!;
}

function matcherFor(size: number): Matcher {
  const routes = Array.from({ length: size }, (_, index) => {
    const compiled: CompiledRoute = { ...UNROUTED, id: pathOf(index), path: pathOf(index), variants: [] };
    return createRoute(compiled, () => {
      throw new Error("a route without variants has no pipeline");
    });
  });
  return createMatcher(routes);
}

/** Targets spread over all routes, as many for each size, each a text of its own. */
function targetsFor(size: number): string[] {
  return Array.from({ length: 1000 }, (_, index) => {
    const path = pathOf(Math.floor((index * size) / 1000));
    return path.replace("/*", `/orders/${index}`).replace(":id", `member-${index}`).replace(":name", `report-${index}`);
  });
}

const headers = new HeaderList(["host", "api.example.com"]);

/** Nanoseconds for each call of `one`. */
function time<T>(items: readonly T[], one: (item: T) => unknown): number {
  let found = 0;
  const startedMs = performance.now();
  for (let i = 0; i < MATCHES; i += 1) if (one(items[i % items.length]!)) found += 1;
  const ns = ((performance.now() - startedMs) * 1e6) / MATCHES;
  if (found !== MATCHES) throw new Error(`${MATCHES - found} of ${MATCHES} targets matched no route`);
  return ns;
}

const cases = SIZES.map((size) => {
  const match = matcherFor(size);
  const texts = targetsFor(size);
  const targets = texts.map((text) => parseTarget(text)!);
  const find = (target: Target) => match("GET", "api.example.com", target, headers).kind === "route";
  return { size, find, texts, targets, matchNs: [] as number[], bothNs: [] as number[] };
});
for (let round = -3; round < ROUNDS; round += 1) {
  for (const { find, texts, targets, matchNs, bothNs } of cases) {
    const match = time(targets, find);
    // A target of its own for each request: its text has never been hashed.
    const both = time(texts, (text) => find(parseTarget(`${text}?${round}`)!));
    if (round < 0) continue;
    matchNs.push(match);
    bothNs.push(both);
  }
}
const [few, many] = cases.map(({ matchNs, bothNs }) => ({ match: median(matchNs), both: median(bothNs) }));
console.log("\nFinding a route, ns         10 routes  10,000 routes     ×");
for (const [title, key] of [["match alone", "match"], ["parse the target and match", "both"]] as const) {
  const ratio = many![key] / few![key];
  console.log(`${title.padEnd(26)} ${few![key].toFixed(0).padStart(10)} ${many![key].toFixed(0).padStart(14)}  ${ratio.toFixed(2)}`);
  if (ratio > AT_MOST) process.exitCode = 1;
}
console.log(`target: ≤ ${AT_MOST}: ${process.exitCode ? "MISSED" : "met"}`);
