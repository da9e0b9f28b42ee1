import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Compiled, compileConfig } from "../../lib/compiler/compile.ts";
import { ConfigError } from "../../lib/config/issue.ts";
import { resolveReferences } from "../../lib/config/references.ts";

function compiled(value: unknown): Compiled {
  return compileConfig({ value, origin: "test", locate: () => undefined }, { vercel: false });
}

const withSecret = compiled({
  backends: { a: { url: "https://a.example", headers: { authorization: "Bearer ${env.TOKEN}" } } },
  defaults: { auth: "none" },
  routes: [
    { path: "/a", backend: "a" },
    { path: "/b", respond: { json: { token: "${env.TOKEN}", of: "${query.user}" } } },
  ],
}).config;

describe("references", () => {
  const secret = fc.string({ minLength: 1, unit: fc.constantFrom("$", "{", "}", "env.TOKEN", "params.x", '"', "\\", "a") });

  test("a value is put in as it is, whatever it holds", () => {
    fc.assert(
      fc.property(secret, (TOKEN) => {
        const { backends, routes } = resolveReferences(withSecret, { TOKEN });
        expect(backends[0]!.headers).toEqual([["authorization", `Bearer ${TOKEN}`]]);
        const { body } = routes[1]!.variants[0]!.steps[0]!.options as { body: { template: (string | { name: string })[] } };
        expect(body.template.filter((part) => typeof part === "object")).toEqual([{ from: "query", name: "user" }]);
        const text = body.template.map((part) => (typeof part === "string" ? part : "ann")).join("");
        expect(JSON.parse(text)).toEqual({ token: TOKEN, of: "ann" });
      }),
    );
  });

  test("the unresolved form and the digest do not depend on values", () => {
    const one = resolveReferences(withSecret, { TOKEN: "one" });
    const two = resolveReferences(withSecret, { TOKEN: "two" });
    expect(one.digest).toBe(two.digest);
    expect(JSON.stringify(withSecret)).not.toContain("one");
  });

  test("the result is frozen all the way down", () => {
    const unfrozen: unknown[] = [];
    const walk = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      if (!Object.isFrozen(value)) unfrozen.push(value);
      for (const item of Object.values(value)) walk(item);
    };
    walk(resolveReferences(withSecret, { TOKEN: "x" }));
    expect(unfrozen).toEqual([]);
  });

  test("a message never shows a value", () => {
    const { config } = compiled({
      backends: { a: "${env.A_URL}" },
      routes: [{ path: "/a", backend: "a", auth: "none", maxBody: "${env.MAX}" }],
    });
    const failing = () => resolveReferences(config, { A_URL: "hunter2", MAX: "hunter2" });
    expect(failing).toThrow(ConfigError);
    expect(failing).not.toThrow("hunter2");
  });

  test("JSON that looks like a reference is data", () => {
    const looks = { $ref: [{ env: "HOME" }], as: "string", at: "x" };
    const { config } = compiled({ routes: [{ path: "/", auth: "none", respond: { json: looks } }] });
    const { body } = resolveReferences(config, {}).routes[0]!.variants[0]!.steps[0]!.options as { body: { template: string[] } };
    expect(JSON.parse(body.template.join(""))).toEqual(looks);
  });

  test("the largest body counts sizes that came from variables", () => {
    const { config } = compiled({ routes: [{ path: "/", auth: "none", respond: {}, maxBody: "${env.MAX}" }] });
    expect(resolveReferences(config, { MAX: "9mb" }).maxBodyBytes).toBe(9 * 1024 * 1024);
  });
});
