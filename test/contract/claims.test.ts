/** Claims: how they are found by name, and when a value fits a rule. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ClaimRule, claimAt, fitsRule, namesIn } from "#lib/contract/claims.ts";

const claims = {
  sub: "ada",
  realm_access: { roles: ["admin"], deep: { level: 3 } },
  "https://shop.example/roles": ["owner"],
  "a.b": "by its own name",
  a: { b: "by its path" },
  nothing: null,
};
const rule = (...anyOf: ClaimRule["anyOf"]): ClaimRule => ({ from: "claim", name: "x", anyOf });

describe("a claim is found", () => {
  test.each([
    ["sub", "ada"],
    ["realm_access.roles", ["admin"]],
    ["realm_access.deep.level", 3],
    ["https://shop.example/roles", ["owner"]],
    ["a.b", "by its own name"],
    ["nothing", null],
  ])("%s", (name, value) => expect(claimAt(claims, name)).toEqual(value));
});

describe("a claim is not there", () => {
  test.each([
    "missing",
    "sub.length",
    "realm_access.missing",
    "nothing.x",
    "",
    ".",
    "sub.",
    "__proto__",
    "constructor",
    "a.__proto__",
    "toString",
  ])("%j", (name) => expect(claimAt(claims, name)).toBeUndefined());

  test("because a prototype holds it", () => {
    const forged = Object.assign({}, JSON.parse('{"__proto__": {"role": "admin"}}'));
    expect(forged.role).toBe("admin");
    expect(claimAt(forged, "role")).toBeUndefined();
  });
});

describe("a value fits", () => {
  test.each([
    ["pro", ["pro"]],
    ["team-1", ["pro", "team-*"]],
    ["", ["*"]],
    ["anything", ["*"]],
    ["anything", ["**"]],
    ["a-b-c", ["a*c"]],
    ["a-b-c", ["*b*"]],
    ["aba", ["a*a"]],
    [3, [3]],
    [false, [false]],
    [["x", "admin"], ["admin"]],
    [["x", 3], [3]],
    ["ab", ["a*b"]],
  ])("%j: %j", (value, wanted) => expect(fitsRule(value, rule(...wanted))).toBe(true));
});

describe("a value does not fit", () => {
  test.each([
    [undefined, ["*"]],
    [null, ["*"]],
    ["3", [3]],
    [3, ["3"]],
    [3, ["*"]],
    [true, ["true"]],
    ["true", [true]],
    [1, [true]],
    [[], ["*"]],
    [[["admin"]], ["admin"]],
    [{ admin: true }, ["admin"]],
    ["a", ["a*a"]],
    ["PRO", ["pro"]],
    ["pro ", ["pro"]],
    ["xpro", ["pro*"]],
    ["a.b", ["a?b"]],
    ["abc", ["a*b"]],
    ["ab", ["ab*b"]],
  ])("%j: %j", (value, wanted) => expect(fitsRule(value, rule(...wanted))).toBe(false));
});

test("a pattern means what the expression with .* for * means", () => {
  const letters = fc.array(fc.constantFrom("a", "b", ".", "\n", "*"), { maxLength: 8 }).map((all) => all.join(""));
  fc.assert(
    fc.property(letters, letters, (text, pattern) => {
      const parts = pattern.split("*").map((part) => part.replaceAll(".", "\\."));
      const expected = new RegExp(`^${parts.join(".*")}$`, "s").test(text);
      expect(fitsRule(text, rule(pattern))).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});

test("no pattern is slow: one that would take an expression for ever", () => {
  expect(fitsRule("a".repeat(100_000), rule(`${"a*".repeat(1000)}b`))).toBe(false);
});

test.each([
  ["a b  c ", ["a", "b", "c"]],
  ["", []],
  [
    ["a", "b c", 3, null],
    ["a", "b c"],
  ],
  [undefined, []],
  [3, []],
  [{ a: 1 }, []],
])("names in %j", (value, names) => expect(namesIn(value as never)).toEqual(names));
