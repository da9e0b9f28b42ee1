/** How laxer servers read a path: folded, cut, decoded, resolved, in every combination and in bounded time. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldCase, pathReadings } from "#lib/http/path-readings.ts";
import { parseTarget } from "#lib/http/target.ts";

const readingsOf = (path: string) => pathReadings(parseTarget(path)!.segments).map((segments) => `/${segments.join("/")}`);

describe("a path is read as", () => {
  test.each([
    ["/Admin", "/admin"],
    ["/admin/", "/admin"],
    ["/admin;x=1/secret", "/admin/secret"],
    ["/;a/admin", "/admin"],
    ["/admin%3Bx", "/admin"],
    ["/admin%20", "/admin"],
    ["/admin.", "/admin"],
    ["/admin. ./", "/admin"],
    ["/%20admin", "/admin"],
    ["/admin%2Fsecret", "/admin/secret"],
    ["/admin%5Csecret", "/admin/secret"],
    ["/%2Fadmin", "/admin"],
    ["/a//admin", "/a/admin"],
    ["/a/../admin", "/admin"],
    ["/a/..;x/admin", "/admin"],
    ["/a/..%2Fadmin", "/admin"],
    ["/a/..%20/admin", "/admin"],
    ["/a/%252e%252e/admin", "/admin"],
    ["/%2561dmin", "/admin"],
    ["/%u0061dmin", "/admin"],
    ["/admin%00.jpg", "/admin"],
    ["/admin%3Fx", "/admin"],
    ["/ADMIN%2F;x/.", "/admin"],
    ["/a/../../admin", "/../admin"],
    ["/adm%C4%B1n/%C5%BFecret", "/admin/secret"],
    ["/%EF%BC%A1dmin", "/admin"],
  ])("%s as %s", (path, reading) => expect(readingsOf(path)).toContain(reading));

  test("and a plain one as itself alone", () => {
    expect(readingsOf("/a/b.c/d-e")).toEqual(["/a/b.c/d-e"]);
    expect(readingsOf("/")).toEqual(["/"]);
  });
});

test("case folds by Unicode", () => {
  for (const [one, other] of [
    ["K", "\u212a"],
    ["s", "\u017f"],
    ["i", "\u0130"],
    ["STRASSE", "stra\u00dfe"],
    ["caf\u00e9", "cafe\u0301"],
    ["\u03a3", "\u03c2"],
  ] as const)
    expect(foldCase(one), one).toBe(foldCase(other));
});

test("there are at most sixteen", () => {
  const piece = fc.constantFrom("a", "A", "%2F", "%5C", "%3B", ";", ".", "..", "/", "%20", "%252e", "\\", "%", "\u00df");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const target = parseTarget(`/${pieces.join("")}`);
      const readings = pathReadings(target!.segments);
      expect(readings.length).toBeLessThanOrEqual(16);
      for (const segments of readings) expect(segments.length).toBeGreaterThan(0);
    }),
  );
});

test("a long path costs no more than its length", () => {
  const time = (length: number) => {
    const { segments } = parseTarget(`/${"A;%252f. ./".repeat(length / 11)}`)!;
    const started = performance.now();
    for (let i = 0; i < 20; i++) pathReadings(segments);
    return performance.now() - started;
  };
  time(2_000);
  // Eight times the length: quadratic would be 64.
  expect(time(16_000) / time(2_000)).toBeLessThan(32);
});
