/** Loads a config as the hosts do, up to the point where they would open stores and listen. */

import { readVercelJson } from "../compiler/checks/regions.ts";
import { compileConfig } from "../compiler/compile.ts";
import type { CompileOptions, Source } from "../compiler/compile-options.ts";
import { loadConfig } from "../compiler/load-config.ts";
import { type Environment, readEnvironment, redisOnVercel } from "../config/env.ts";
import { ConfigError, type Issue } from "../config/issue.ts";
import { resolveReferences } from "../config/references.ts";
import type { CompiledConfig } from "../contract/compiled/config.ts";
import { createOfflineGateway, type OfflineGateway } from "./offline-gateway.ts";
import { withNamedTexts } from "./redact-variables.ts";

export interface LoadedGateway extends OfflineGateway {
  readonly environment: Environment;
  readonly source: Source;
  /** The file or variable that the config came from. */
  readonly origin: string;
  /** References unresolved. */
  readonly compiled: CompiledConfig;
  readonly warnings: readonly Issue[];
}

/** What a compilation on this machine, or for Vercel, goes by. */
export function compileOptions(cwd: string, environment: Environment, vercel: boolean): CompileOptions {
  const isVercel = vercel || environment.vercel;
  return {
    vercel: isVercel,
    production: environment.production,
    geoDatabase: environment.geoDatabase !== undefined,
    trustsProxy: environment.trustsProxy,
    vercelJson: readVercelJson(cwd),
    ...(isVercel && {
      keepOut: environment.variables,
      redis: redisOnVercel(environment),
      hasCronSecret: environment.cronSecret !== undefined,
    }),
  };
}

/** Throws a ConfigError with everything that is wrong, warnings included. */
export async function loadGateway(cwd: string, file: string | undefined, vercel = false): Promise<LoadedGateway> {
  const environment = readEnvironment(cwd);
  const { variables } = environment;
  const source = await loadConfig(environment, { cwd, file });
  const { config, warnings, customPolicies } = compileConfig(source, compileOptions(cwd, environment, vercel));
  const { origin } = source;
  try {
    // Every value must fit; those that are only copied are not used after that.
    resolveReferences(config, variables, origin);
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError([...warnings, ...error.issues], origin) : error;
  }
  const shown = resolveReferences(withNamedTexts(config, variables), variables, origin);
  try {
    return {
      environment,
      source,
      origin,
      compiled: config,
      warnings,
      ...createOfflineGateway(shown, customPolicies, environment),
    };
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError([...warnings, ...error.issues], origin);
    const message = `the gateway can't be built: ${error instanceof Error ? error.message : String(error)}`;
    throw new ConfigError([...warnings, { rule: "source-import", severity: "error", path: "", message }], origin);
  }
}
