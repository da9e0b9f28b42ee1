/** The request target: kept as received, decoded once, and every ambiguity noticed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { authorityOf, parseTarget } from "#lib/http/target.ts";

const parse = (raw: string) => parseTarget(raw)!;

describe("parseTarget", () => {
  test("keeps what was received and splits it at the first question mark", () => {
    const target = parse("/a/%62?x=1&x=%zz?y");
    expect(target).toMatchObject({ raw: "/a/%62?x=1&x=%zz?y", path: "/a/%62", search: "?x=1&x=%zz?y", fault: undefined });
    expect(target.segments).toEqual(["a", "b"]);
    expect(target.query.getAll("x")).toEqual(["1", "%zz?y"]);
  });

  test.each([
    ["/", [""]],
    ["/a", ["a"]],
    ["/a/", ["a", ""]],
    ["/a%20b/%C3%BC", ["a b", "ü"]],
    ["/a%2520b", ["a%20b"]],
    ["/.well-known/x", [".well-known", "x"]],
    ["/a..b/...", ["a..b", "..."]],
    ["/a;v=1/b", ["a;v=1", "b"]],
    ["/:id/@me/(x)/a+b,c=d*~", [":id", "@me", "(x)", "a+b,c=d*~"]],
    ["/[x]|^{}", ["[x]|^{}"]],
  ])("%s is plain", (raw, segments) => {
    expect(parse(raw).segments).toEqual(segments);
    expect(parse(raw).fault).toBeUndefined();
  });

  test.each([
    ["/a/../b", "dot segment"],
    ["/a/./b", "dot segment"],
    ["/a/..", "dot segment"],
    ["/%2e%2e/b", "dot segment"],
    ["/.%2E/b", "dot segment"],
    ["/a/..;/b", "dot segment"],
    ["/a/%2e%2e%3bx/b", "dot segment"],
    ["//a", "empty segment"],
    ["/a//b", "empty segment"],
    ["/a\\b", "backslash"],
    ["/a%5Cb", "backslash"],
    ["/a%00b", "control character"],
    ["/a%0d%0ab", "control character"],
    ["/a%7fb", "control character"],
    ["/a%zz", "broken escape"],
    ["/a%", "broken escape"],
    ["/a%c0%af", "broken escape"],
    ["/a%ff", "broken escape"],
    ["/a#b", "fragment"],
    ["/a\xfc", "outside of ASCII"],
    ["/a b", "outside of ASCII"],
    ["/a%2f..%2fb", "encoded dot segment"],
    ["/..%2fb", "encoded dot segment"],
  ])("%s has a fault: %s", (raw, fault) => {
    expect(parse(raw).fault).toContain(fault);
    expect(parse(raw).raw).toBe(raw);
  });

  test("what stands in the query is no fault of the path", () => {
    expect(parse("/a?b=../..//%zz\\").fault).toBeUndefined();
    expect(parse("/a?b#c").fault).toBe("a fragment in the target");
  });

  test("an encoded slash is told apart from a fault", () => {
    expect(parse("/a%2Fb/c")).toMatchObject({ segments: ["a/b", "c"], hasEncodedSlash: true, fault: undefined });
    expect(parse("/a/b").hasEncodedSlash).toBe(false);
    expect(parse("/a%252Fb").hasEncodedSlash).toBe(false);
  });

  test("absolute-form loses its authority, and only http and https are forms of a path", () => {
    expect(parse("http://other.example:80/a?b").raw).toBe("/a?b");
    expect(parse("HTTPS://other.example").raw).toBe("/");
    expect(parse("http://other.example?x").raw).toBe("/?x");
    expect(authorityOf("http://other.example:80/a")).toBe("other.example:80");
    expect(authorityOf("/a")).toBeUndefined();
    for (const raw of ["*", "a/b", "", "other.example:443", "ftp://x/y", "?a"]) expect(parseTarget(raw)).toBeUndefined();
  });

  test("the short way and the long way agree: a path of plain characters has no fault and splits alike", () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9._~!$&'()*+,=:@-]{0,8}$/);
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), (segments) => {
        const short = parse(`/${segments.join("/")}`);
        // One escape sends the same path the long way.
        const long = parse(`/${segments.map((text) => `%${text.charCodeAt(0).toString(16)}${text.slice(1)}`).join("/")}`);
        expect(long.segments).toEqual(short.segments);
        expect([short.fault, long.fault]).toEqual([undefined, undefined]);
      }),
    );
  });

  test("whatever the bytes, it never throws, and a path without fault decodes to as many segments as it has slashes", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40, unit: fc.constantFrom(..."/.%2efF5cC0;\\?#a:@ \0") }), (text) => {
        const target = parse(`/${text}`);
        expect(target.raw).toBe(`/${text}`);
        expect(target.path + target.search).toBe(target.raw);
        expect(target.segments).toHaveLength(target.path.split("/").length - 1);
        if (target.fault === undefined) {
          expect(target.segments.some((segment) => segment === "." || segment === ".." || segment.includes("\0"))).toBe(false);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
