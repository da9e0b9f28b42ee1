/** Matching: most specific first, the winning path alone decides, and the tree agrees with a naive reading of the rules. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CompiledRoute } from "#lib/contract/compiled/config.ts";
import { createMatcher, createStricterReader } from "#lib/engine/match.ts";
import type { Route } from "#lib/engine/route.ts";
import { HeaderList } from "#lib/http/header-list.ts";
import type { PathComparison } from "#lib/http/path-readings.ts";
import { parseTarget } from "#lib/http/target.ts";
import { routeFor } from "../support/exchange.ts";

type Spec = Partial<CompiledRoute> & { path: string };

function matcherOf(...specs: (Spec | string)[]) {
  return comparedBy({}, ...specs);
}

function comparedBy(comparison: PathComparison, ...specs: (Spec | string)[]) {
  const routes = specs.map((spec) =>
    typeof spec === "string" ? routeFor({ path: spec }) : routeFor({ id: spec.path, ...spec }),
  );
  const match = createMatcher(routes, comparison);
  return (target: string, { method = "GET", host = "gateway.example", headers = [] as string[] } = {}) =>
    match(method, host, parseTarget(target)!, new HeaderList(headers));
}

/** The id of the route that wins, the allowed methods, or undefined. */
function outcome(found: ReturnType<ReturnType<typeof matcherOf>>): unknown {
  if (found.kind === "route") return found.route.id;
  return found.kind === "none" ? undefined : found.allow;
}

describe("paths", () => {
  const match = matcherOf("/", "/a", "/a/", "/a/:x", "/a/b", "/a/*", "/a/:x/c", "/:any/z", "/f/:rest*");

  test.each([
    ["/", "/"],
    ["/a", "/a"],
    ["/a/", "/a/"],
    ["/a/b", "/a/b"],
    ["/a/q", "/a/:x"],
    ["/a/q/c", "/a/:x/c"],
    // Literal before `:name` from the left, and where that leads nowhere, back.
    ["/a/b/c", "/a/:x/c"],
    ["/a/b/d", "/a/*"],
    ["/q/z", "/:any/z"],
    ["/a/z", "/a/:x"],
    ["/f", "/f/:rest*"],
    ["/f/", "/f/:rest*"],
    ["/f/1/2/", "/f/:rest*"],
    ["/A", undefined],
    ["/b", undefined],
    ["/q/z/", undefined],
  ])("%s is %s", (target, id) => {
    expect(outcome(match(target))).toBe(id);
  });

  test("segments are compared decoded", () => {
    expect(outcome(match("/%61/%62"))).toBe("/a/b");
    expect(outcome(matcherOf("/ü")("/%C3%BC"))).toBe("/ü");
  });

  test("a name stands for a segment that is there", () => {
    expect(outcome(matcherOf("/users/:id")("/users/"))).toBeUndefined();
    expect(outcome(matcherOf("/users/:id")("/users/a%2Fb"))).toBe("/users/:id");
  });

  test("parameters are decoded, and what `*` matched keeps its slashes", () => {
    const found = matcherOf("/u/:id/*")("/u/a%20b/x%2Fy//z");
    expect(found).toMatchObject({ kind: "route", params: { id: "a b", rest: "x/y//z" } });
    expect(matcherOf("/u/*")("/u")).toMatchObject({ params: { rest: "" } });
  });

  test("names that every object has are parameters and segments like others", () => {
    const match = matcherOf("/:__proto__/:constructor", "/constructor");
    expect(outcome(match("/constructor"))).toBe("/constructor");
    expect(outcome(match("/toString"))).toBeUndefined();
    const found = match("/a/b");
    expect(found.kind === "route" && Object.entries(found.params)).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
    ]);
  });
});

describe("methods", () => {
  test("a path whose method is not served is 405 with what is, never a wider route", () => {
    const match = matcherOf({ path: "/a", methods: ["POST", "GET"] }, "/*");
    expect(outcome(match("/a", { method: "DELETE" }))).toEqual(["GET", "HEAD", "POST"]);
    expect(outcome(match("/a"))).toBe("/a");
    expect(outcome(match("/b", { method: "DELETE" }))).toBe("/*");
  });

  test("HEAD is served wherever GET is, and not elsewhere", () => {
    expect(outcome(matcherOf({ path: "/a", methods: ["GET"] })("/a", { method: "HEAD" }))).toBe("/a");
    expect(outcome(matcherOf({ path: "/a", methods: ["POST"] })("/a", { method: "HEAD" }))).toEqual(["POST"]);
  });

  test("several routes on one path share it by method", () => {
    const match = matcherOf({ id: "read", path: "/a", methods: ["GET"] }, { id: "write", path: "/a", methods: ["POST", "PUT"] });
    expect(outcome(match("/a"))).toBe("read");
    expect(outcome(match("/a", { method: "PUT" }))).toBe("write");
    expect(outcome(match("/a", { method: "PATCH" }))).toEqual(["GET", "HEAD", "POST", "PUT"]);
  });
});

describe("hosts", () => {
  const match = matcherOf(
    { id: "exact", host: "api.example.com", path: "/a" },
    { id: "deep", host: "*.eu.example.com", path: "/a" },
    { id: "wide", host: "*.example.com", path: "/*" },
    { id: "any", path: "/*" },
  );

  test.each([
    ["api.example.com", "/a", "exact"],
    ["API.Example.COM:8443", "/a", "exact"],
    ["api.example.com.", "/a", "exact"],
    ["api.example.com", "/b", "wide"],
    ["x.eu.example.com", "/a", "deep"],
    ["x.eu.example.com", "/b", "wide"],
    ["x.y.example.com", "/a", "wide"],
    // A wildcard is for hosts below, not for the host itself, and not for one that merely ends alike.
    ["example.com", "/a", "any"],
    ["evilexample.com", "/a", "any"],
    ["[::1]:4000", "/a", "any"],
    ["", "/a", "any"],
  ])("%s%s is %s", (host, target, id) => {
    expect(outcome(match(target, { host }))).toBe(id);
  });
});

describe("conditions", () => {
  const match = matcherOf(
    { id: "plain", path: "/a" },
    { id: "beta", path: "/a", when: { headers: [["x-beta", "1"]], query: [] } },
    { id: "both", path: "/a", when: { headers: [["x-beta", true]], query: [["v", "2"]] } },
  );

  test.each([
    ["/a", [], "plain"],
    ["/a", ["X-Beta", "1"], "beta"],
    ["/a", ["X-Beta", "2"], "plain"],
    ["/a", ["X-Beta", "2", "x-beta", "1"], "beta"],
    ["/a?v=2", ["X-Beta", "1"], "both"],
    ["/a?v=1&v=2", ["X-Beta", ""], "both"],
    ["/a?v=22", ["X-Beta", "1"], "beta"],
  ])("%s %j is %s: more conditions first", (target, headers, id) => {
    expect(outcome(match(target, { headers }))).toBe(id);
  });

  test("a path of which no condition holds is not there, and a wider one serves it", () => {
    const match = matcherOf(
      { id: "narrow", path: "/a", when: { headers: [["x", true]], query: [] } },
      { id: "wide", path: "/*" },
    );
    expect(outcome(match("/a"))).toBe("wide");
  });
});

describe("against a naive reading of the rules", () => {
  const segment = fc.constantFrom("a", "b", ":x", ":y");
  const path = fc
    .tuple(fc.array(segment, { maxLength: 3 }), fc.constantFrom("", "*", ":r*", "/"))
    .map(([segments, end]) => `/${[...segments, ...(end === "" ? [] : [end === "/" ? "" : end])].join("/")}`);
  const methods = fc.constantFrom(undefined, ["GET"], ["POST"]);
  const host = fc.constantFrom(undefined, "h.example", "*.example", "*.h.example");
  const routes = fc.array(fc.record({ path, methods, host }), { minLength: 1, maxLength: 7 });
  const target = fc
    .array(fc.constantFrom("a", "b", "c", ""), { minLength: 1, maxLength: 4 })
    .map((segments) => `/${segments.join("/")}`);

  test("the tree finds the same route, and the same methods where there is none for this one", () => {
    fc.assert(
      fc.property(
        routes,
        target,
        fc.constantFrom("GET", "HEAD", "POST", "PUT"),
        fc.constantFrom("h.example", "x.h.example", "example"),
        (specs, raw, method, requested) => {
          const distinct = unique(specs).map((spec, index) => routeFor({ ...spec, id: `${index}` }));
          const found = createMatcher(distinct)(method, requested, parseTarget(raw)!, new HeaderList());
          expect(outcome(found)).toEqual(naive(distinct, raw, method, requested));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  /** Equal routes are an error of the config; parameters' names make no difference. */
  function unique<T extends { path: string; methods: readonly string[] | undefined; host: string | undefined }>(specs: T[]): T[] {
    const seen = new Map(
      specs.map((spec) => [`${spec.host} ${spec.path.replaceAll(/:[a-z]+\*/g, "*").replaceAll(/:[a-z]/g, ":")}`, spec]),
    );
    return [...seen.values()];
  }

  function naive(all: Route[], raw: string, method: string, requested: string): unknown {
    const segments = raw.slice(1).split("/");
    const fitting = all.filter((route) => hostRank(route, requested) > 0 && pathFits(route.path, segments));
    // Hosts first, then the kinds of the segments from the left; a shorter pattern has its `*` sooner.
    fitting.sort((a, b) => hostRank(b, requested) - hostRank(a, requested) || comparePaths(a.path, b.path));
    const [best] = fitting;
    if (!best) return undefined;
    const allowed =
      best.methods === undefined ? undefined : best.methods.includes("GET") ? [...best.methods, "HEAD"] : [...best.methods];
    return !allowed || allowed.includes(method) ? best.id : allowed.sort();
  }

  function hostRank({ host }: Route, requested: string): number {
    if (host === undefined) return 1;
    if (host === requested) return 1_000;
    return host.startsWith("*.") && requested.endsWith(host.slice(1)) ? host.length : 0;
  }

  function pathFits(path: string, segments: string[]): boolean {
    const pattern = path.slice(1).split("/");
    const hasRest = pattern.at(-1)!.endsWith("*");
    const fixed = hasRest ? pattern.slice(0, -1) : pattern;
    if (hasRest ? segments.length < fixed.length : segments.length !== fixed.length) return false;
    return fixed.every((part, index) => (part.startsWith(":") ? segments[index] !== "" : part === segments[index]));
  }

  function comparePaths(a: string, b: string): number {
    const kinds = (path: string) =>
      path
        .slice(1)
        .split("/")
        .map((part) => (part.endsWith("*") ? "2" : part.startsWith(":") ? "1" : "0"));
    const [left, right] = [kinds(a).join(""), kinds(b).join("")];
    // `/a` before `/a/*` on the path `/a`: an end is more exact than a rest.
    return `${left}0` < `${right}0` ? -1 : 1;
  }
});

test("the time does not grow with the number of routes: as many steps through the tree at 10,000 as at 10", () => {
  // Map look-ups are counted, not seconds: each level of the path costs one, whatever stands beside it.
  const lookups = (count: number) => {
    const routes = Array.from({ length: count }, (_, index) => routeFor({ id: `${index}`, path: `/service-${index}/items/:id` }));
    const match = createMatcher(routes);
    const target = parseTarget("/service-7/items/1")!;
    const original = Map.prototype.get;
    let calls = 0;
    Map.prototype.get = function get(this: Map<unknown, unknown>, key: unknown) {
      calls++;
      return original.call(this, key);
    };
    try {
      expect(match("GET", "gateway.example", target, new HeaderList()).kind).toBe("route");
    } finally {
      Map.prototype.get = original;
    }
    return calls;
  };
  expect(lookups(10_000)).toBe(lookups(10));
});

describe("one reading for all", () => {
  test("without regard to case", () => {
    const match = comparedBy({ caseSensitive: false }, "/Admin/:Id/x", "/\u00fc");
    expect(outcome(match("/aDMIN/Seven/X"))).toBe("/Admin/:Id/x");
    expect(match("/admin/Seven/x")).toMatchObject({ params: { Id: "Seven" } });
    expect(outcome(match("/%C3%9C"))).toBe("/\u00fc");
    expect(outcome(match("/admin/7/x/"))).toBeUndefined();
  });

  test("without regard to a slash at the end", () => {
    const match = comparedBy({ trailingSlash: "ignore" }, "/", "/a/", "/b", "/c/:id", "/d/*");
    for (const [target, path] of [
      ["/", "/"],
      ["/a", "/a/"],
      ["/a/", "/a/"],
      ["/b/", "/b"],
      ["/c/7/", "/c/:id"],
      ["/d/x/", "/d/*"],
    ] as const)
      expect(outcome(match(target)), target).toBe(path);
    expect(match("/c/7/")).toMatchObject({ params: { id: "7" } });
    expect(match("/d/x/")).toMatchObject({ params: { rest: "x/" } });
    expect(outcome(match("/A"))).toBeUndefined();
  });
});

describe("a laxer reading", () => {
  const OPEN = { stricter: [1] };
  const CLOSED = { rules: 1 };

  /** Whose path a target is to a laxer server, where that route is stricter than the one that was found. */
  function stricterFor(
    specs: Spec[],
    target: string,
    { method = "GET", host = "gateway.example", headers = [] as string[] } = {},
  ) {
    const routes = specs.map((spec) => routeFor({ id: spec.path, ...spec }));
    const fields = new HeaderList(headers);
    const parsed = parseTarget(target)!;
    const found = createMatcher(routes)(method, host, parsed, fields);
    if (found.kind !== "route" || !found.route.stricter) return "not read again";
    const read = createStricterReader(routes)(found.route, method, host, parsed, fields);
    return typeof read === "object" ? read.id : read;
  }

  const ALL: Spec = { path: "/*", ...OPEN };

  test.each([
    [[ALL, { path: "/admin", ...CLOSED }], "/Admin/", "/admin"],
    [[ALL, { path: "/admin", ...CLOSED }], "/administrator", undefined],
    [[ALL, { path: "/Admin/", ...CLOSED }], "/admin", "/Admin/"],
    // An open route that is narrower keeps its own path, in every spelling.
    [[ALL, { path: "/admin/*", ...CLOSED }, { path: "/admin/login" }], "/Admin/Login", undefined],
    [[ALL, { path: "/admin/*", ...CLOSED }, { path: "/admin/login" }], "/Admin/Login/x", "/admin/*"],
    // A server that takes the slash at the end seriously sees the wider, stricter route.
    [[ALL, { path: "/admin/*", ...CLOSED }, { path: "/admin/login" }], "/Admin/Login/", "/admin/*"],
    // Told apart on purpose.
    [
      [
        { path: "/Admin", ...OPEN },
        { path: "/admin", ...CLOSED },
      ],
      "/Admin",
      undefined,
    ],
    [
      [
        { path: "/Admin/", ...OPEN },
        { path: "/Admin", ...CLOSED },
      ],
      "/Admin/",
      undefined,
    ],
    [
      [
        { path: "/users/:id", ...OPEN },
        { path: "/users/me", ...CLOSED },
      ],
      "/users/ME",
      "/users/me",
    ],
    [
      [
        { path: "/users/:id", ...OPEN },
        { path: "/users/me", ...CLOSED },
      ],
      "/users/7",
      undefined,
    ],
    [
      [
        { path: "/:a/:b", ...OPEN },
        { path: "/admin", ...CLOSED },
      ],
      "/;x/admin",
      "/admin",
    ],
  ] as [Spec[], string, string | undefined][])("%j: %s is that of %s", (specs, target, id) =>
    expect(stricterFor(specs, target)).toBe(id),
  );

  test("goes by method, host and conditions too", () => {
    const get: Spec = { path: "/a", methods: ["GET"], ...CLOSED };
    expect(stricterFor([ALL, get], "/A", { method: "POST" })).toBe("/a");
    expect(stricterFor([ALL, get, { path: "/a", id: "open", methods: ["POST"] }], "/A", { method: "POST" })).toBeUndefined();
    const hosted: Spec = { path: "/a", host: "*.example", ...CLOSED };
    expect(stricterFor([ALL, hosted], "/A")).toBe("/a");
    expect(stricterFor([ALL, hosted], "/A", { host: "other.test" })).toBeUndefined();
    const when: Spec = { path: "/a", when: { headers: [["x-b", true]], query: [] }, ...CLOSED };
    expect(stricterFor([ALL, when], "/A", { headers: ["X_B", "1"] })).toBe("/a");
    expect(stricterFor([ALL, when], "/A")).toBeUndefined();
  });

  test("dot segments may not lead out of a lenient route", () => {
    const lenient: Spec = { path: "/web/*", guard: "lenient", ...OPEN };
    const closed: Spec = { path: "/closed", ...CLOSED };
    expect(stricterFor([lenient, closed], "/web/../closed")).toBe("/closed");
    expect(stricterFor([lenient, closed], "/web/../../x")).toBe("climbs");
    expect(stricterFor([lenient, closed], "/web/../elsewhere")).toBe("climbs");
    expect(stricterFor([lenient, closed], "/web/a/../b//c")).toBeUndefined();
  });
});
