/** Compiles the config into the module that the Vercel host's bundles import as #compiled. A wrong config fails the build. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ARTIFACT_FILE, renderArtifact, renderTestArtifact } from "../lib/compiler/artifact.ts";
import { readVercelJson } from "../lib/compiler/checks/regions.ts";
import { compileConfig } from "../lib/compiler/compile.ts";
import { loadConfig } from "../lib/compiler/load-config.ts";
import { readEnvironment, redisOnVercel } from "../lib/config/env.ts";
import { ConfigError, formatIssues } from "../lib/config/issue.ts";

const root = dirname(import.meta.dirname);
const file = join(root, ARTIFACT_FILE);

try {
  const environment = readEnvironment(root);
  let module: string;
  if (environment.variables.GATEWAY_TEST_BUILD === "1") module = renderTestArtifact(file, root);
  else {
    const source = await loadConfig(environment, { cwd: root });
    const compiled = compileConfig(source, {
      vercel: environment.vercel,
      production: environment.production,
      vercelJson: readVercelJson(root),
      redis: environment.vercel ? redisOnVercel(environment) : undefined,
      hasCronSecret: environment.cronSecret !== undefined,
      keepOut: environment.variables,
    });
    if (compiled.warnings.length > 0) console.warn(formatIssues(compiled.warnings, source.origin));
    module = renderArtifact(compiled, source, file, root);
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, module);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
