import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { env } from "#frontdesk";
import { readText } from "../../lib/config/text.ts";

describe("texts of the config", () => {
  test.each([
    ["plain", ["plain"]],
    ["", []],
    ["Bearer ${env.TOKEN}", ["Bearer ", { env: "TOKEN" }]],
    ["${env.A:-b:-c}", [{ env: "A", fallback: "b:-c" }]],
    ["${env.A:-}", [{ env: "A", fallback: "" }]],
    ["/${params.id}/${request.headers.X-Id}", ["/", { from: "params", name: "id" }, "/", { from: "header", name: "x-id" }]],
    [
      "${query.page[size]}${claims.https://a.example/role}",
      [
        { from: "query", name: "page[size]" },
        { from: "claim", name: "https://a.example/role" },
      ],
    ],
    ["$${env.A} and $5 and {x}", ["${env.A} and $5 and {x}"]],
    [
      "${consumer.id}${geo.country}",
      [
        { from: "consumer", name: "id" },
        { from: "geo", name: "country" },
      ],
    ],
  ])("%j", (text, parts) => expect(readText(text)).toEqual({ parts, faults: [] }));

  test.each([
    "${",
    "${}",
    "${env}",
    "${env.}",
    "${env.A B}",
    "${params.}",
    "${params.a-b}",
    "${request.body}",
    "${consumer.name}",
    "${geo.planet}",
    "${x",
  ])("%j can't be read", (text) => expect(readText(`a${text}`).faults).toEqual([text]));

  test("text with its ${ doubled is that text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("$", "{", "}", "a", ".", "env") }), (text) => {
        // A dollar right before `${` would itself read as the first of two.
        fc.pre(!text.includes("$${"));
        const escaped = text.split("${").join("$${");
        expect(readText(escaped)).toEqual({ parts: text === "" ? [] : [text], faults: [] });
      }),
    );
  });

  test("env() writes what YAML writes by hand", () => {
    expect(env("TOKEN")).toBe("${env.TOKEN}");
    expect(env("PORT", 3000)).toBe("${env.PORT:-3000}");
    expect(env("ON", false)).toBe("${env.ON:-false}");
    expect(`Bearer ${env("TOKEN", "a b")}`).toBe("Bearer ${env.TOKEN:-a b}");
  });

  test("any name and fallback that env() takes is read again", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,10}$/),
        fc.string().filter((text) => !text.includes("}")),
        (name, fallback) => {
          expect(readText(env(name, fallback))).toEqual({ parts: [{ env: name, fallback }], faults: [] });
        },
      ),
    );
  });

  test("env() refuses what could not be read again", () => {
    expect(() => env("A-B")).toThrow("not the name of a variable");
    expect(() => env("A", "}")).toThrow("can't hold");
  });
});
