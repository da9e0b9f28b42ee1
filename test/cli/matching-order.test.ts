import fc from "fast-check";
import { expect, test } from "vitest";
import { inMatchingOrder } from "#lib/cli/matching-order.ts";
import { createMatcher } from "#lib/engine/match.ts";
import type { Route } from "#lib/engine/route.ts";
import { HeaderList } from "#lib/http/header-list.ts";
import { parseTarget } from "#lib/http/target.ts";
import { routeFor } from "../support/exchange.ts";

const segment = fc.constantFrom("a", "b", ":x");
const path = fc
  .tuple(fc.array(segment, { maxLength: 2 }), fc.constantFrom("", "/", "/*"))
  .map(([segments, end]) =>
    `/${segments.map((part, index) => (part === ":x" ? `:x${index}` : part)).join("/")}${end}`.replace(/^\/\//, "/"),
  );
const host = fc.constantFrom(undefined, "x.example", "*.example", "*.y.example");
const when = fc.constantFrom(undefined, { headers: [["x-beta", true] as const], query: [] });
const routes = fc
  .array(fc.record({ host, path, when }), { minLength: 1, maxLength: 8 })
  .map((places) => places.map((place) => routeFor(place)));
const request = fc.record({
  host: fc.constantFrom("x.example", "z.y.example", "elsewhere"),
  target: fc
    .array(fc.constantFrom("a", "b", "c", ""), { minLength: 1, maxLength: 3 })
    .map((segments) => `/${segments.join("/")}`),
  headers: fc.constantFrom([], ["x-beta", "1"]),
});

/** `/a/:x` and `/a/:y` are one shape, of which either may be asked first. */
const shapeOf = ({ host, path, when }: Route) => JSON.stringify([host, path, when === undefined]);

test("the first route of the list that fits a request is the one that the matcher chooses", () => {
  fc.assert(
    fc.property(routes, request, (all, { host, target, headers }) => {
      const ask = (asked: readonly Route[]) => {
        const found = createMatcher(asked)("GET", host, parseTarget(target)!, new HeaderList([...headers]));
        return found.kind === "route" ? shapeOf(found.route) : undefined;
      };
      const first = inMatchingOrder(all).find((route) => ask([route]) !== undefined);
      expect(first && shapeOf(first)).toBe(ask(all));
    }),
    { numRuns: 10_000 },
  );
});

test("in words: exact hosts, wildcards by length, none; literals, parameters, the rest; conditions first", () => {
  const places = ["/*", "/:x", "/a/*", "/a/:x", "/a/b", "/a", "/"].map((path) => ({ path }));
  expect(inMatchingOrder(places).map((place) => place.path)).toEqual(["/", "/a", "/a/b", "/a/:x", "/a/*", "/:x", "/*"]);
  const hosts = [undefined, "*.example", "*.y.example", "x.example"].map((host) => ({ host, path: "/" }));
  expect(inMatchingOrder(hosts).map((place) => place.host)).toEqual(["x.example", "*.y.example", "*.example", undefined]);
  const beta = { path: "/", when: { headers: [["x-beta", true] as const], query: [] } };
  expect(inMatchingOrder([{ ...beta, when: undefined }, beta])[0]).toBe(beta);
});
