/**
 * `node bench/match.ts`: what finding a route costs among 10 and among 10,000. Exits 1 where the same requests take more than 1.5
 * times as long among the many. Requests spread over all 10,000 are shown beside it: there every look-up misses the processor's
 * caches, as in any table of that size.
 */
import type { CompiledRoute } from "../lib/contract/compiled/config.ts";
import { createMatcher, type Matcher } from "../lib/engine/match.ts";
import { createRoute, UNROUTED } from "../lib/engine/route.ts";
import { HeaderList } from "../lib/http/header-list.ts";
import { parseTarget, type Target } from "../lib/http/target.ts";
import { median } from "./median.ts";

const MANY = 10_000;
const FEW = 10;
const AT_MOST = 1.5;
const ROUNDS = 21;
const MATCHES = 20_000;
const REQUESTS = 1000;

/** As APIs have them: a few shapes under many names. */
function pathOf(index: number): string {
  const shapes = [
    `/api/service-${index}/*`,
    `/api/service-${index}/items`,
    `/v1/teams/team-${index}/:id`,
    `/files-${index}/:name/raw`,
  ];
  return shapes[index % shapes.length]!;
}

const all = Array.from({ length: MANY }, (_, index) => pathOf(index));
/** From all over the table, of every shape. */
const few = Array.from({ length: FEW }, (_, index) => pathOf(index * 1001));

function matcherFor(paths: readonly string[]): Matcher {
  const routes = paths.map((path) => {
    const compiled: CompiledRoute = { ...UNROUTED, id: path, path, variants: [] };
    return createRoute(compiled, () => {
      throw new Error("a route without variants has no pipeline");
    });
  });
  return createMatcher(routes);
}

/** As many targets for any number of routes, each a text of its own. */
function requestsTo(paths: readonly string[]): string[] {
  return Array.from({ length: REQUESTS }, (_, index) => {
    const path = paths[Math.floor((index * paths.length) / REQUESTS)]!;
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

const small = matcherFor(few);
const large = matcherFor(all);
const sameRequests = requestsTo(few);
const sameTargets = sameRequests.map((text) => parseTarget(text)!);
const spreadTargets = requestsTo(all).map((text) => parseTarget(text)!);
const finds = (match: Matcher) => (target: Target) => match("GET", "api.example.com", target, headers).kind === "route";
const parsesAndFinds = (match: Matcher) => (text: string) => finds(match)(parseTarget(text)!);

const lines = [
  {
    title: "the same requests",
    among: [() => time(sameTargets, finds(small)), () => time(sameTargets, finds(large))],
    atMost: AT_MOST,
  },
  {
    title: "the same, parsed as well",
    among: [() => time(sameRequests, parsesAndFinds(small)), () => time(sameRequests, parsesAndFinds(large))],
  },
  { title: "spread over all routes", among: [() => time(sameTargets, finds(small)), () => time(spreadTargets, finds(large))] },
].map((line) => ({ ...line, samples: [[], []] as [number[], number[]] }));

for (let round = -3; round < ROUNDS; round += 1) {
  for (const { among, samples } of lines) {
    for (const [index, measure] of among.entries()) {
      const ns = measure();
      if (round >= 0) samples[index]!.push(ns);
    }
  }
}
console.log(
  `\n${"Finding a route, ns".padEnd(26)} ${`among ${FEW}`.padStart(12)} ${`among ${MANY}`.padStart(12)} ${"×".padStart(6)}`,
);
for (const { title, samples, atMost } of lines) {
  const [less, more] = [median(samples[0]), median(samples[1])];
  const ratio = more / less;
  if (atMost !== undefined && ratio > atMost) process.exitCode = 1;
  const target = atMost === undefined ? "" : `  ≤ ${atMost}: ${ratio > atMost ? "MISSED" : "met"}`;
  console.log(
    `${title.padEnd(26)} ${less.toFixed(0).padStart(12)} ${more.toFixed(0).padStart(12)} ${ratio.toFixed(2).padStart(6)}${target}`,
  );
}
