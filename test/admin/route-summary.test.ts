import { describe, expect, test } from "vitest";
import { isConsolePath } from "#lib/admin/console-paths.ts";
import { durationText } from "#lib/admin/duration-text.ts";
import { summarizeRoutes } from "#lib/admin/route-summary.ts";
import { compileConfig } from "#lib/compiler/compile.ts";
import { loadConfig } from "#lib/compiler/load-config.ts";
import { parseEnvironment } from "#lib/config/env.ts";
import { summarizeConfig } from "#lib/console/config-summary.ts";
import { CONFIG } from "../console/console-config.ts";

async function compiled() {
  const variables = { BACKEND_URL: "https://backend.example", CANARY_URL: "https://canary.example" };
  return compileConfig(await loadConfig(parseEnvironment(variables), { cwd: ".", file: CONFIG }), { vercel: false }).config;
}

describe("a route in words", () => {
  test("has its limits, scopes by method, cache, retries, canary and mirror", async () => {
    const routes = Object.fromEntries(summarizeRoutes(await compiled()).map((route) => [route.id, route]));
    expect(routes["/orders/:id"]!.byMethod).toMatchObject([
      { methods: ["POST"], auth: "partners", scopes: "orders:write", limits: ["orders: 100 requests in 1 min by consumer"] },
      { methods: undefined, auth: "partners", scopes: "orders:read" },
    ]);
    expect(routes["/products/*"]!.byMethod).toMatchObject([{ auth: undefined, cache: "fresh for 1 min, stale for 1 min" }]);
    expect(routes["/next/*"]).toMatchObject({
      canary: "5 %",
      mirror: "100 % to shop",
      byMethod: [{ retry: "2 attempts on no connection, 502, 503, 504" }],
    });
  });

  test("the config's summary names authenticators and measures, and holds no address", async () => {
    const summary = summarizeConfig(await compiled());
    expect(summary.authenticators).toEqual([{ name: "partners", kind: "apiKey", keyPrefix: "fd" }]);
    expect(summary.backends.map(({ measures }) => measures)).toEqual([
      [],
      ["2 attempts", "left out after 5 failures", "canary"],
      ["breaker"],
    ]);
    expect(JSON.stringify(summary)).not.toContain("backend.example");
  });
});

test.each([
  [90_000, "90 s"],
  [300_000, "5 min"],
  [86_400_000, "1 d"],
  [1_500, "1500 ms"],
])("%d ms is %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test.each([
  ["", true],
  ["requests", true],
  ["_next/static/a.js", true],
  ["requests/1", false],
  ["request", false],
  ["api/keys", false],
])("/gateway/%s is a page or a file of one: %s", (below, expected) => {
  expect(isConsolePath({ segments: ["gateway", ...(below === "" ? [] : below.split("/"))] })).toBe(expected);
});
