/** Readers of caching fields: directives, targeted fields, dates. */
import { describe, expect, test } from "vitest";
import { fieldsOf, parseDirectives, secondsOf } from "#lib/http/cache-directives.ts";
import { parseHttpDate } from "#lib/http/http-date.ts";
import { cacheTags, targetedCacheControl } from "#lib/http/targeted-cache-control.ts";

describe("directives", () => {
  test.each([
    [undefined, {}],
    ["Max-Age=5, PUBLIC", { "max-age": "5", public: true }],
    ['a="x, y", b', { a: "x, y", b: true }],
    ['a="say \\"hi\\"", b', { a: 'say "hi"', b: true }],
    ["max-age=1, max-age=9", { "max-age": "1" }],
    [", , a,", { a: true }],
    ["a = 5, b= 5, c =5", { a: "", b: "", c: "" }],
    ['a="b"c', { a: "" }],
    ['"a", b', { b: true }],
    ['a="open, b', { a: "", "no-store": true }],
  ])("%j", (field, expected) => expect(Object.fromEntries(parseDirectives(field))).toEqual(expected));

  test.each([
    ["x=5", 5],
    ["x=005", 5],
    ["x=99999999999999999999", 2 ** 31],
    ["x=-5", 0],
    ["x=5.5", 0],
    ["x", 0],
    ["x='5'", 0],
    ["y=5", undefined],
  ])("seconds of %s: %s", (field, seconds) => expect(secondsOf(parseDirectives(field), "x")).toBe(seconds));

  test("names of fields", () => {
    expect(fieldsOf(parseDirectives('no-cache="Set-Cookie, ,X-A"'), "no-cache")).toEqual(["set-cookie", "x-a"]);
    expect(fieldsOf(parseDirectives("no-cache"), "no-cache")).toEqual([]);
  });
});

describe("targeted fields", () => {
  test.each([
    [["cdn-cache-control", "max-age=5;x, no-store"], "max-age=5, no-store"],
    [["surrogate-control", "max-age=5"], "max-age=5"],
    [["surrogate-control", "max-age=5", "cdn-cache-control", "max-age=6"], "max-age=6"],
    // No structured dictionary (RFC 8941 section 4.2): passed over whole.
    [["cdn-cache-control", "max-age =5"], undefined],
    [["cdn-cache-control", "Max-Age=5"], undefined],
    [["cdn-cache-control", "max-age=5,"], undefined],
    [["cdn-cache-control", ""], undefined],
    [["vercel-cdn-cache-control", "max-age=5"], undefined],
  ])("%j: %s", (fields, expected) => expect(targetedCacheControl(fields)).toBe(expected));

  test("tags of the three fields", () => {
    expect(cacheTags(["surrogate-key", " a  b ", "cache-tag", "c, d,", "vercel-cache-tag", "e"])).toEqual([
      "a",
      "b",
      "c",
      "d",
      "e",
    ]);
    expect(cacheTags(undefined)).toEqual([]);
  });
});

test.each([
  ["Sun, 06 Nov 1994 08:49:37 GMT", Date.UTC(1994, 10, 6, 8, 49, 37)],
  ["Sunday, 06-Nov-94 08:49:37 GMT", Date.UTC(1994, 10, 6, 8, 49, 37)],
  ["Sunday, 06-Nov-50 08:49:37 GMT", Date.UTC(2050, 10, 6, 8, 49, 37)],
  ["Sun Nov  6 08:49:37 1994", Date.UTC(1994, 10, 6, 8, 49, 37)],
  ["Sun, 31 Feb 1994 08:49:37 GMT", undefined],
  ["Sun, 06 Nov 1994 24:49:37 GMT", undefined],
  ["Sun, 06 Nov 1994 08:49:37 UTC", undefined],
  ["Sun, 06 nov 1994 08:49:37 GMT", undefined],
  ["1994-11-06", undefined],
  ["0", undefined],
])("the date %s is %s", (text, ms) => expect(parseHttpDate(text, Date.UTC(2026, 0, 1))).toBe(ms));
