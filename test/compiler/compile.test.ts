import { describe, expect, test } from "vitest";
import { compileConfig } from "../../lib/compiler/compile.ts";
import { ConfigError } from "../../lib/config/issue.ts";

function compile(value: unknown) {
  return compileConfig({ value, origin: "test", locate: () => undefined }, { vercel: false });
}

function rulesOf(value: unknown): string[] {
  try {
    return compile(value).warnings.map(({ rule }) => rule);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ rule }) => rule);
  }
}

const route = { path: "/", auth: "none", respond: { body: "x" } };

describe("compileConfig", () => {
  test("the digest names the meaning, not the spelling", () => {
    const one = compile({
      backends: { a: { url: "https://a.example/", timeout: "60s" } },
      routes: [{ path: "/", auth: "none", backend: "a" }],
    });
    const two = compile({
      routes: [{ backend: "a", auth: ["none"], path: "/" }],
      backends: { a: { timeout: { firstByte: "1m" }, url: "https://a.example" } },
    });
    const other = compile({
      backends: { a: { url: "https://a.example/", timeout: "61s" } },
      routes: [{ path: "/", auth: "none", backend: "a" }],
    });
    expect(one.config.digest).toBe(two.config.digest);
    expect(one.config.digest).not.toBe(other.config.digest);
    expect(one.config.digest).toMatch(/^[\w-]{43}$/);
  });

  test.each([[undefined], [null], [5], ["routes"], [[]], [() => ({})]])("%j is no config", (value) =>
    expect(rulesOf(value)).toEqual(["wrong-type"]),
  );

  test.each(["__proto__", "constructor", "toString"])("%s is neither a key nor the name of a backend by accident", (key) => {
    expect(rulesOf(JSON.parse(`{"routes":[],"${key}":{}}`))).toEqual(["unknown-key"]);
    expect(rulesOf({ routes: [{ path: "/", auth: "none", backend: key }] })).toEqual(["unknown-backend"]);
  });

  test("defaults that can't be read are told once", () => {
    expect(
      rulesOf({
        defaults: "none",
        routes: [
          { path: "/", respond: {} },
          { path: "/b", respond: {} },
        ],
      }),
    ).toEqual(["wrong-type"]);
  });

  test("a fault in one setting hides none in another", () => {
    const value = {
      backends: { a: { url: 5, timeout: "x" } },
      routes: [{ path: 1, backend: "b", maxBody: "x", hots: "" }, { path: "y" }],
    };
    expect(rulesOf(value).toSorted()).toEqual(
      [
        "wrong-type",
        "value-format",
        "wrong-type",
        "unknown-backend",
        "value-format",
        "unknown-key",
        "auth-missing",
        "path-grammar",
        "auth-missing",
        "one-destination",
      ].toSorted(),
    );
  });

  test("10,000 routes", () => {
    const routes = Array.from({ length: 10_000 }, (_, i) => ({
      path: `/v${i % 7}/things-${i}/:id`,
      methods: "GET",
      auth: "none",
      backend: "a",
    }));
    const twin = { path: "/v3/things-9999/:other", auth: "none", backend: "a" };
    expect(compile({ backends: { a: "https://a.example" }, routes }).config.routes).toHaveLength(10_000);
    expect(rulesOf({ backends: { a: "https://a.example" }, routes: [...routes, twin] })).toEqual(["equal-routes"]);
  });

  test("1,000 routes on one path, told apart by conditions", () => {
    const routes = Array.from({ length: 1000 }, (_, i) => ({ ...route, when: { headers: { "x-tenant": `t${i}` } } }));
    expect(rulesOf({ routes })).toEqual([]);
    expect(rulesOf({ routes: [...routes, routes[500]] })).toEqual(["equal-routes"]);
  });
});
