/**
 * From a request to its route, in time that depends on the path's depth and not on the number of routes: a tree of decoded
 * segments per host. Most specific first: exact host, longest wildcard host, any host; then segment by segment from the left,
 * literal before `:name` before `*`; then the routes with conditions. The winning path decides alone: a method that none of its
 * routes serves is 405, never a fall-through to a wider route.
 */
import type { HeaderList } from "../http/header-list.ts";
import { foldCase, type PathComparison, pathReadings, segmentReader } from "../http/path-readings.ts";
import type { Target } from "../http/target.ts";
import type { Route } from "./route.ts";

type Params = Readonly<Record<string, string>>;

export type Match =
  | { readonly kind: "route"; readonly route: Route; readonly params: Params }
  /** `route` is the first of the winning path: its CORS and headers shape the answer. */
  | { readonly kind: "method-not-allowed"; readonly route: Route; readonly params: Params; readonly allow: readonly string[] }
  | { readonly kind: "none" };

export type Matcher = (method: string, host: string, target: Target, headers: HeaderList) => Match;

interface Candidate {
  readonly route: Route;
  readonly methods: ReadonlySet<string> | undefined;
}

class TreeNode {
  readonly literals = new Map<string, TreeNode>();
  param: TreeNode | undefined;
  readonly exact: Candidate[] = [];
  readonly wild: Candidate[] = [];
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze(Object.create(null) as Record<string, string>);
const NO_MATCH: Match = { kind: "none" };

export function createMatcher(routes: readonly Route[], comparison: PathComparison = {}): Matcher {
  const forest = new Forest();
  const read = segmentReader(comparison);
  for (const route of routes) insert(forest.treeFor(route.host), route, read?.(segmentsOf(route)) ?? segmentsOf(route));
  const { anyHost, hasHosts } = forest;

  return (method, host, target, headers) => {
    const segments = read ? read(target.segments) : target.segments;
    if (hasHosts) {
      for (const tree of forest.treesOf(host)) {
        const match = find(tree, 0, segments, method, target, headers);
        if (match) return match;
      }
    }
    return find(anyHost, 0, segments, method, target, headers) ?? NO_MATCH;
  };
}

/** The stricter route that a laxer server would take this request to be for; undefined where there is none. */
export type StricterReader = (
  found: Route,
  method: string,
  host: string,
  target: Target,
  headers: HeaderList,
) => Route | "climbs" | undefined;

/**
 * Reads a path as laxer servers do, for routes with stricter ones beside them (`stricter`): `/Admin/` must not pass by an open `/*`
 * to a backend that takes it for `/admin`. A request is refused where such a reading lands on a stricter route than the one it matched.
 * Two routes whose paths are one to such a reading were told apart on purpose: each stays open for its own spelling.
 */
export function createStricterReader(routes: readonly Route[]): StricterReader {
  const forest = new Forest();
  for (const route of routes) {
    const segments = segmentsOf(route).map((segment) => (isLiteral(segment) ? foldCase(segment) : segment));
    insert(forest.treeFor(route.host), route, segments);
    if (segments.length > 1 && segments.at(-1) === "") insert(forest.treeFor(route.host), route, segments.slice(0, -1));
  }

  return (found, method, host, target, headers) => {
    for (const segments of pathReadings(target.segments)) {
      if (segments[0] === "..") return "climbs";
      const landed = land(forest, host, segments, target, headers);
      if (landed.some(({ route }) => route === found)) continue;
      // Only a lenient guard lets such a path by. Byte for byte it may climb anywhere, also out of a prefix that is cut.
      if (target.fault !== undefined) return landed[0]?.route ?? "climbs";
      const serving = landed.filter(({ methods }) => !methods || methods.has(method));
      // None: the path as it is meant gets 405.
      const judges = serving.length > 0 ? serving : landed;
      const stricter = judges.find(({ route }) => route.rules !== undefined && found.stricter!.includes(route.rules));
      if (stricter) return stricter.route;
    }
    return undefined;
  };
}

/** The routes of the path that wins, whose conditions hold, whatever their methods. */
function land(
  forest: Forest,
  host: string,
  segments: readonly string[],
  target: Target,
  headers: HeaderList,
): readonly Candidate[] {
  const fitting = (candidates: readonly Candidate[]) =>
    candidates.filter(({ route: { when } }) => !when || holds(when, target, headers));
  const walk = (node: TreeNode, index: number): readonly Candidate[] => {
    const segment = segments[index];
    if (segment === undefined) {
      const exact = fitting(node.exact);
      return exact.length > 0 ? exact : fitting(node.wild);
    }
    const literal = node.literals.get(segment);
    const found = literal ? walk(literal, index + 1) : [];
    if (found.length > 0) return found;
    const named = node.param && segment !== "" ? walk(node.param, index + 1) : [];
    return named.length > 0 ? named : fitting(node.wild);
  };
  for (const tree of [...forest.treesOf(host), forest.anyHost]) {
    const found = walk(tree, 0);
    if (found.length > 0) return found;
  }
  return [];
}

/** A tree of paths for each host. */
class Forest {
  readonly anyHost = new TreeNode();
  readonly #exact = new Map<string, TreeNode>();
  readonly #wildcard = new Map<string, TreeNode>();

  get hasHosts(): boolean {
    return this.#exact.size + this.#wildcard.size > 0;
  }

  treeFor(host: string | undefined): TreeNode {
    if (host === undefined) return this.anyHost;
    return host.startsWith("*.") ? treeOf(this.#wildcard, host.slice(1)) : treeOf(this.#exact, host);
  }

  /** Those of routes that name a host, the most specific first. */
  treesOf(host: string): Iterable<TreeNode> {
    return treesFor(hostName(host), this.#exact, this.#wildcard);
  }
}

function treeOf(trees: Map<string, TreeNode>, host: string): TreeNode {
  const known = trees.get(host);
  if (known) return known;
  const tree = new TreeNode();
  trees.set(host, tree);
  return tree;
}

function* treesFor(host: string, exact: Map<string, TreeNode>, wildcard: Map<string, TreeNode>): Iterable<TreeNode> {
  const tree = exact.get(host);
  if (tree) yield tree;
  for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
    const wider = wildcard.get(host.slice(dot));
    if (wider) yield wider;
  }
}

/** Host without port, in lower case; an IPv6 literal keeps its brackets. */
function hostName(host: string): string {
  const port = host.lastIndexOf(":");
  const name = port > host.lastIndexOf("]") ? host.slice(0, port) : host;
  // `api.example.` and `api.example` are one host (RFC 1034 section 3.1).
  return (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase();
}

/** Of the path as it was written, without a `*` at its end. */
function segmentsOf({ path, params }: Route): readonly string[] {
  const segments = path.slice(1).split("/");
  return params.at(-1)?.isRest ? segments.slice(0, -1) : segments;
}

function isLiteral(segment: string): boolean {
  return !segment.startsWith(":");
}

function insert(root: TreeNode, route: Route, segments: readonly string[]): void {
  const hasRest = route.params.at(-1)?.isRest ?? false;
  let node = root;
  for (const segment of segments) {
    if (isLiteral(segment)) {
      node = treeOf(node.literals, segment);
    } else {
      node.param ??= new TreeNode();
      node = node.param;
    }
  }
  const list = hasRest ? node.wild : node.exact;
  list.push({ route, methods: methodsOf(route) });
  // Stable: routes with more conditions first, the rest in the order of the config.
  list.sort((a, b) => conditions(b.route) - conditions(a.route));
}

/** HEAD is served wherever GET is (RFC 9110 section 9.1). */
function methodsOf(route: Route): ReadonlySet<string> | undefined {
  if (!route.methods) return undefined;
  return new Set(route.methods.includes("GET") ? [...route.methods, "HEAD"] : route.methods);
}

function conditions(route: Route): number {
  return (route.when?.headers.length ?? 0) + (route.when?.query.length ?? 0);
}

function find(
  node: TreeNode,
  index: number,
  segments: readonly string[],
  method: string,
  target: Target,
  headers: HeaderList,
): Match | undefined {
  if (index === segments.length) {
    return choose(node.exact, method, target, headers) ?? choose(node.wild, method, target, headers);
  }
  const segment = segments[index]!;
  const literal = node.literals.get(segment);
  const match = literal && find(literal, index + 1, segments, method, target, headers);
  if (match) return match;
  // A name stands for one segment that is there: `/users/` is not a user.
  const named = node.param && segment !== "" ? find(node.param, index + 1, segments, method, target, headers) : undefined;
  return named ?? choose(node.wild, method, target, headers);
}

function choose(candidates: readonly Candidate[], method: string, target: Target, headers: HeaderList): Match | undefined {
  let others: Candidate[] | undefined;
  for (const candidate of candidates) {
    if (candidate.route.when && !holds(candidate.route.when, target, headers)) continue;
    if (!candidate.methods || candidate.methods.has(method)) {
      return { kind: "route", route: candidate.route, params: paramsOf(candidate.route, target.segments) };
    }
    others ??= [];
    others.push(candidate);
  }
  if (!others) return undefined;
  const { route } = others[0]!;
  return {
    kind: "method-not-allowed",
    route,
    params: paramsOf(route, target.segments),
    allow: [...new Set(others.flatMap((other) => [...other.methods!]))].sort(),
  };
}

function holds(when: NonNullable<Route["when"]>, target: Target, headers: HeaderList): boolean {
  return (
    when.headers.every(([name, value]) => headers.holds(name, value)) &&
    when.query.every(([name, value]) => (value === true ? target.query.has(name) : target.query.getAll(name).includes(value)))
  );
}

/** Values of a route's path parameters, decoded. */
export function paramsOf({ params }: Route, segments: readonly string[]): Readonly<Record<string, string>> {
  if (params.length === 0) return NO_PARAMS;
  const values = Object.create(null) as Record<string, string>;
  for (const { name, index, isRest } of params) values[name] = isRest ? segments.slice(index).join("/") : segments[index]!;
  return values;
}
