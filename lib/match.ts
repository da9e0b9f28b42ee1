/**
 * From a request to its route, in time that depends on the path's depth and not on the number of routes: a tree of decoded
 * segments per host. Most specific first: exact host, longest wildcard host, any host; then segment by segment from the left,
 * literal before `:name` before `*`; then the routes with conditions. The winning path decides alone: a method that none of its
 * routes serves is 405, never a fall-through to a wider route.
 */
import type { HeaderList } from "./http/header-list.ts";
import type { Target } from "./http/target.ts";
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

export function createMatcher(routes: readonly Route[]): Matcher {
  const anyHost = new TreeNode();
  const exactHosts = new Map<string, TreeNode>();
  const wildcardHosts = new Map<string, TreeNode>();
  for (const route of routes) {
    if (route.host === null) insert(anyHost, route);
    else if (route.host.startsWith("*.")) insert(treeOf(wildcardHosts, route.host.slice(1)), route);
    else insert(treeOf(exactHosts, route.host), route);
  }
  const hasHosts = exactHosts.size + wildcardHosts.size > 0;

  return (method, host, target, headers) => {
    if (hasHosts) {
      for (const tree of treesFor(hostName(host), exactHosts, wildcardHosts)) {
        const match = find(tree, 0, method, target, headers);
        if (match) return match;
      }
    }
    return find(anyHost, 0, method, target, headers) ?? NO_MATCH;
  };
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

function insert(root: TreeNode, route: Route): void {
  const segments = route.path.slice(1).split("/");
  const hasRest = route.params.at(-1)?.isRest ?? false;
  if (hasRest) segments.pop();
  let node = root;
  for (const segment of segments) {
    if (segment.startsWith(":")) {
      node.param ??= new TreeNode();
      node = node.param;
    } else {
      node = treeOf(node.literals, segment);
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

function find(node: TreeNode, index: number, method: string, target: Target, headers: HeaderList): Match | undefined {
  const { segments } = target;
  if (index === segments.length) {
    return choose(node.exact, method, target, headers) ?? choose(node.wild, method, target, headers);
  }
  const segment = segments[index]!;
  const literal = node.literals.get(segment);
  const match = literal && find(literal, index + 1, method, target, headers);
  if (match) return match;
  // A name stands for one segment that is there: `/users/` is not a user.
  const named = node.param && segment !== "" ? find(node.param, index + 1, method, target, headers) : undefined;
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
    when.headers.every(([name, value]) => (value === true ? headers.has(name) : headers.all(name).includes(value))) &&
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
