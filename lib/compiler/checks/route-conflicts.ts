/**
 * Routes that take each other's requests. Only routes of one host and one shape of path can take all of them: a more specific
 * path always leaves the wider one something. They are grouped by these, so that the time grows with the number of routes only.
 */

import type { Report } from "../../config/issue.ts";
import type { RouteCondition } from "../../contract/compiled/config.ts";
import type { Draft } from "../compile-route.ts";

const ALL = "*";

export function reportConflicts(drafts: readonly Draft[], report: Report): void {
  const groups = Map.groupBy(drafts, ({ route, shape }) => `${route.host ?? ""}/${shape.join("/")}`);
  for (const group of groups.values()) if (group.length > 1) reportGroup(group, report);
  reportHidden([...groups.values()], report);
}

/** The matcher asks routes with more conditions first, the others in the order of the config; here each is held against those before it. */
function reportGroup(group: readonly Draft[], report: Report): void {
  /** Who serves a method under a set of conditions. */
  const servers = new Map<string, Map<string, Draft>>();
  for (const draft of group.toSorted((a, b) => countOf(b.route.when) - countOf(a.route.when))) {
    const { methods, when } = draft.route;
    const exact = keyOf(conditionsOf(when));
    const own = servers.get(exact) ?? new Map<string, Draft>();
    const twin = methods ? [...methods, ALL].map((method) => own.get(method)).find(Boolean) : own.values().next().value;
    if (twin) {
      const { methods: others, position } = twin.route;
      const shared =
        methods && others ? methods.filter((method) => others.includes(method)).join(", ") : (methods ?? others)?.join(", ");
      const fix = "Join them, or tell them apart by `methods`, `host` or `when`.";
      report.error(
        "equal-routes",
        draft.place,
        `${position} is for the same requests${shared ? ` (${shared})` : ""}: equal host, path and conditions.`,
        fix,
      );
    } else {
      const takers = takersOf(draft, servers);
      if (takers)
        report.error(
          "unreachable-route",
          draft.place,
          `no request reaches it: ${takers} takes each of them first.`,
          "Put it before, or remove it.",
        );
    }
    for (const method of methods ?? [ALL]) own.set(method, draft);
    servers.set(exact, own);
  }
}

/** The earlier routes that together serve every request of this one, in words; undefined where something is left. */
function takersOf(
  { route: { methods, when } }: Draft,
  servers: ReadonlyMap<string, ReadonlyMap<string, Draft>>,
): string | undefined {
  const wider = generalised(conditionsOf(when)).flatMap((conditions) => servers.get(keyOf(conditions)) ?? []);
  const takers = (methods ?? [ALL]).map((method) => {
    for (const served of wider) {
      // GET serves HEAD too (RFC 9110 section 9.3.2), so that a later route for HEAD alone is never asked.
      const taker = served.get(ALL) ?? served.get(method) ?? (method === "HEAD" ? served.get("GET") : undefined);
      if (taker) return taker.route.position;
    }
    return undefined;
  });
  return takers.includes(undefined) ? undefined : [...new Set(takers)].join(" and ");
}

type Condition = readonly [name: string, value: unknown];

function conditionsOf(when: RouteCondition | undefined): Condition[] {
  if (!when) return [];
  return [
    ...when.headers.map(([name, value]): Condition => [`header ${name}`, value]),
    ...when.query.map(([name, value]): Condition => [`query ${name}`, value]),
  ];
}

function countOf(when: RouteCondition | undefined): number {
  return when ? when.headers.length + when.query.length : 0;
}

function keyOf(conditions: readonly Condition[]): string {
  return JSON.stringify(conditions.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The conditions themselves, and all that hold whenever they do: any value in place of a certain one. */
function generalised([first, ...rest]: readonly Condition[]): Condition[][] {
  if (!first) return [[]];
  const heads: Condition[] = first[1] === true ? [first] : [first, [first[0], true]];
  return generalised(rest).flatMap((tail) => heads.map((head) => [head, ...tail]));
}

interface PathNode {
  readonly children: Map<string, PathNode>;
  group?: readonly Draft[];
}

/** No method on the winning path is 405, never a fall-through: worth a word where a wider route would have served it. */
function reportHidden(groups: readonly (readonly Draft[])[], report: Report): void {
  const hosts = new Map<string | undefined, PathNode>();
  for (const group of groups) {
    const { route, shape } = group[0]!;
    let node = childOf(hosts, route.host);
    for (const segment of shape) node = childOf(node.children, segment);
    node.group = group;
  }
  for (const group of groups) {
    const served = methodsOf(group);
    if (served === undefined || group.some(({ route }) => route.when)) continue;
    const { route, shape, place } = group[0]!;
    for (const wider of widerThan(hosts.get(route.host)!, shape, 0)) {
      if (wider === group) continue;
      const others = methodsOf(wider);
      if (others && [...others].every((method) => served.has(method))) continue;
      const hidden = others === undefined ? "other methods" : [...others].filter((method) => !served.has(method)).join(", ");
      const { position, path } = wider[0]!.route;
      report.warn(
        "hidden-route",
        place,
        `405 answers ${hidden} under this path, although ${position} (${path}) would not.`,
        "Add to `methods` what is meant to pass.",
      );
      break;
    }
  }
}

function childOf<Key>(nodes: Map<Key, PathNode>, key: Key): PathNode {
  let node = nodes.get(key);
  if (!node) {
    node = { children: new Map() };
    nodes.set(key, node);
  }
  return node;
}

/** Undefined for all. */
function methodsOf(group: readonly Draft[]): Set<string> | undefined {
  const methods = new Set<string>();
  for (const { route } of group) {
    if (!route.methods) return undefined;
    for (const method of route.methods) methods.add(method);
  }
  if (methods.has("GET")) methods.add("HEAD");
  return methods;
}

/** Groups whose path matches whatever `shape` does, the most specific first. */
function* widerThan(node: PathNode, shape: readonly string[], index: number): Iterable<readonly Draft[]> {
  const segment = shape[index];
  if (segment === undefined) {
    if (node.group) yield node.group;
  } else if (segment !== "*") {
    for (const next of segment === ":" ? [":"] : [segment, ":"]) {
      const child = node.children.get(next);
      if (child) yield* widerThan(child, shape, index + 1);
    }
  }
  const rest = node.children.get("*")?.group;
  if (rest) yield rest;
}
