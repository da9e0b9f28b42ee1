import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ARTIFACT_FILE, renderArtifact, renderTestArtifact } from "../../lib/compiler/artifact.ts";
import { compileConfig } from "../../lib/compiler/compile.ts";
import type { Source } from "../../lib/compiler/compile-options.ts";
import { customPoliciesOf } from "../../lib/compiler/custom-policies.ts";

const root = "/srv/gateway";
const file = join(root, ARTIFACT_FILE);
const policy = { name: "mine", create: () => ({}) };

function render(value: unknown, module?: string): string {
  const source: Source = {
    value,
    origin: "gateway.config.ts",
    locate: () => undefined,
    ...(module === undefined ? {} : { module }),
  };
  return renderArtifact(compileConfig(source, { vercel: true }), source, file, root);
}

describe("the module that a build keeps", () => {
  const value = {
    backends: { a: { url: "https://a.example", headers: { authorization: "Bearer ${env.TOKEN}" } } },
    routes: [{ path: "/", backend: "a", auth: "none" }],
  };

  test("holds the compiled config, references unresolved, and reads nothing", () => {
    const text = render(value, join(root, "gateway.config.ts"));
    const json = /JSON\.parse\((".*")\) as CompiledConfig/.exec(text)![1]!;
    const source: Source = { value, origin: "x", locate: () => undefined };
    expect(JSON.parse(JSON.parse(json) as string)).toEqual(compileConfig(source, { vercel: true }).config);
    expect(text).not.toMatch(/readFile|process|GATEWAY_TEST|gateway\.config\.ts"/);
  });

  test("imports the config only where it has custom policies", () => {
    const text = render({ routes: [{ path: "/", respond: {}, auth: "none", use: policy }] }, join(root, "gateway.config.ts"));
    expect(text).toContain('import config from "../../gateway.config.ts";');
    expect(text).toContain("customPoliciesOf(config)");
  });

  test("that of a test build is another one, and says so", () =>
    expect(renderTestArtifact(file, root)).toMatch(/never be deployed[\s\S]*GATEWAY_TEST_COMPILED/));
});

test("customPoliciesOf finds what the compiler found", () => {
  const other = { name: "other", create: () => ({}) };
  const value = {
    defaults: { auth: "none", use: policy },
    routes: [
      { path: "/", respond: {}, use: [other, policy] },
      { path: "/b", respond: {}, use: false },
    ],
  };
  const compiled = compileConfig({ value, origin: "x", locate: () => undefined }, { vercel: false });
  expect(customPoliciesOf(value)).toEqual(compiled.customPolicies);
  expect([...customPoliciesOf(value).keys()].sort()).toEqual(compiled.config.customPolicies);
});
