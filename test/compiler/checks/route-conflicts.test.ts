/** The conflicts that the compiler reports are those that the matcher has: a route is unreachable exactly if no request reaches it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileConfig } from "../../../lib/compiler/compile.ts";
import { ConfigError } from "../../../lib/config/issue.ts";
import { createMatcher } from "../../../lib/engine/match.ts";
import { createRoute, UNROUTED } from "../../../lib/engine/route.ts";
import { HeaderList } from "../../../lib/http/header-list.ts";
import { parseTarget } from "../../../lib/http/target.ts";

interface Written {
  readonly path: string;
  readonly methods?: readonly string[];
  readonly when?: { readonly headers: Record<string, string | true> };
}

const path = fc.constantFrom("/", "/a", "/a/", "/:x", "/a/:x", "/a/:y", "/:x/b", "/a/*", "/*", "/:rest*");
const methods = fc.uniqueArray(fc.constantFrom("GET", "POST", "HEAD"), { minLength: 1, maxLength: 2 });
const when = fc.record({
  headers: fc.dictionary(fc.constantFrom("p", "q"), fc.constantFrom<string | true>("1", true), { maxKeys: 2 }),
});
const written: fc.Arbitrary<Written> = fc.record({ path, methods, when }, { requiredKeys: ["path"] });

/** Every request that the paths, methods and headers above can tell apart. */
const REQUESTS = ["/", "/a", "/a/", "/c", "/a/c", "/c/b", "/a/b", "/a/c/d", "/c/d/e", "/c/"].flatMap((target) =>
  ["GET", "POST", "HEAD", "PUT"].flatMap((method) =>
    ["", "1", "2"].flatMap((p) =>
      ["", "1", "2"].map((q) => ({ target, method, headers: [...(p ? ["p", p] : []), ...(q ? ["q", q] : [])] })),
    ),
  ),
);

function conflictsIn(routes: readonly Written[]): { equal: string[]; unreachable: string[] } {
  const value = { routes: routes.map((route) => ({ ...route, auth: "none", respond: {} })) };
  try {
    compileConfig({ value, origin: "test", locate: () => undefined }, { vercel: false });
    return { equal: [], unreachable: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const of = (rule: string) => error.issues.filter((issue) => issue.rule === rule).map((issue) => issue.path);
    return { equal: of("equal-routes"), unreachable: of("unreachable-route") };
  }
}

function neverReached(routes: readonly Written[]): string[] {
  const asRoutes = routes.map(({ path, methods, when }, index) =>
    createRoute(
      {
        ...UNROUTED,
        position: `routes[${index}]`,
        path,
        methods,
        when: when ? { headers: Object.entries(when.headers), query: [] } : undefined,
        variants: [],
      },
      () => {
        throw new Error("no variant, no pipeline");
      },
    ),
  );
  const match = createMatcher(asRoutes);
  const reached = new Set<string>();
  for (const { target, method, headers } of REQUESTS) {
    const found = match(method, "x.example", parseTarget(target)!, new HeaderList(headers));
    if (found.kind === "route") reached.add(found.route.position);
  }
  return asRoutes.map(({ position }) => position).filter((position) => !reached.has(position));
}

describe("route conflicts", () => {
  test("where no two routes are equal, those reported as unreachable are those that the matcher never finds", () => {
    let judged = 0;
    fc.assert(
      fc.property(fc.array(written, { minLength: 2, maxLength: 5 }), (routes) => {
        const { equal, unreachable } = conflictsIn(routes);
        if (equal.length > 0) return;
        judged++;
        expect(unreachable.toSorted()).toEqual(neverReached(routes));
      }),
      { numRuns: 2000 },
    );
    expect(judged).toBeGreaterThan(500);
  });

  test("whatever the matcher never finds is reported, as equal or as unreachable", () => {
    fc.assert(
      fc.property(fc.array(written, { minLength: 2, maxLength: 5 }), (routes) => {
        const { equal, unreachable } = conflictsIn(routes);
        expect(new Set([...equal, ...unreachable])).toEqual(new Set([...equal, ...unreachable, ...neverReached(routes)]));
      }),
      { numRuns: 1000 },
    );
  });
});
