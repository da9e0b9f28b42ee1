/** What a build keeps of a config: a module of plain data, which reads nothing and holds no value of a variable. */
import { dirname, relative, sep } from "node:path";
import type { CompiledConfig } from "../contract/compiled/config.ts";
import type { Compiled } from "./compile.ts";
import type { Source } from "./compile-options.ts";

/** Where `#compiled` points, from the root. */
export const ARTIFACT_FILE = ".frontdesk/build/compiled.ts";

/** The text of the module at `file` (absolute), below `root`. It exports `artifact` and `customPolicies`. */
export function renderArtifact({ config, customPolicies }: Compiled, source: Source, file: string, root: string): string {
  const from = (path: string) => relative(dirname(file), path).split(sep).join("/");
  const lib = `${from(root)}/lib`;
  // Text in a literal: engines parse it faster than the object it stands for, and tsc need not type 10,000 routes.
  const data = [`export const artifact = JSON.parse(${JSON.stringify(JSON.stringify(config))}) as CompiledConfig;`];
  const policies =
    customPolicies.size > 0 && source.module !== undefined
      ? [
          `import config from ${JSON.stringify(from(source.module))};`,
          "",
          ...data,
          "export const customPolicies = customPoliciesOf(config);",
        ]
      : ["", ...data, "export const customPolicies = NO_CUSTOM_POLICIES;"];
  const needed = customPolicies.size > 0 ? "customPoliciesOf" : "NO_CUSTOM_POLICIES";
  return [
    `/** Written by scripts/compile-config.ts from ${source.origin}; do not edit. */`,
    `import type { CompiledConfig } from ${JSON.stringify(`${lib}/contract/compiled/config.ts`)};`,
    `import { ${needed} } from ${JSON.stringify(`${lib}/compiler/custom-policies.ts`)};`,
    ...policies,
    "",
  ].join("\n");
}

/** What a test build holds while it is built: Next loads every module then, and no test has named a file yet. */
const NOTHING: CompiledConfig = {
  digest: "",
  maxBodyBytes: 4 * 1024 * 1024,
  regions: [],
  backends: [],
  authenticators: [],
  claims: [],
  routes: [],
  unrouted: [],
  trust: { proxies: [], frontends: [] },
  customPolicies: [],
};

/** For tests of the built hosts: the same module, but the data comes from the file that GATEWAY_TEST_COMPILED names at start. */
export function renderTestArtifact(file: string, root: string): string {
  const lib = `${relative(dirname(file), root).split(sep).join("/")}/lib`;
  return [
    "/** Written by scripts/compile-config.ts for a test build: it must never be deployed. */",
    'import { readFileSync } from "node:fs";',
    `import type { CompiledConfig } from ${JSON.stringify(`${lib}/contract/compiled/config.ts`)};`,
    // Those of the flow tests: the compiled config names the ones it uses.
    `export { customPolicies } from ${JSON.stringify(`${lib}/../test/support/custom-policies.ts`)};`,
    "",
    'const file = process.env["GATEWAY_TEST_COMPILED"];',
    `const text = file ? readFileSync(/* turbopackIgnore: true */ file, "utf8") : ${JSON.stringify(JSON.stringify(NOTHING))};`,
    "export const artifact = JSON.parse(text) as CompiledConfig;",
    "",
  ].join("\n");
}
