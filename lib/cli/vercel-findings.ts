/** What a build on Vercel would say of a config that was checked for this machine: the same rules, found before anything is deployed. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readVercelJson } from "../compiler/checks/regions.ts";
import { compileConfig } from "../compiler/compile.ts";
import { ConfigError, type Issue } from "../config/issue.ts";
import { compileOptions, type LoadedGateway } from "./load-gateway.ts";

export interface VercelFindings {
  /** Whether something in the folder says that it is deployed to Vercel. */
  readonly isProject: boolean;
  /** How many of them would fail the build. */
  readonly errors: number;
  /** Each as a warning, without those that were told anyway. */
  readonly warnings: readonly Issue[];
}

export function vercelFindings(loaded: LoadedGateway, cwd: string): VercelFindings {
  const { environment, compiled, warnings: told } = loaded;
  // A check on Vercel, or with --vercel, has told all of it.
  if (environment.vercel) return { isProject: true, errors: 0, warnings: [] };
  const issues = issuesThere(loaded, cwd);
  const isTold = new Set(told.map(textOf));
  return {
    isProject: isProject(cwd, environment.variables) || compiled.regions.length > 0,
    errors: issues.filter(({ severity }) => severity === "error").length,
    warnings: issues
      .filter((issue) => !isTold.has(textOf(issue)))
      .map((issue) => ({ ...issue, severity: "warning", message: `on Vercel: ${issue.message}` })),
  };
}

function issuesThere({ source, environment }: LoadedGateway, cwd: string): readonly Issue[] {
  try {
    return compileConfig(source, compileOptions(cwd, environment, true)).warnings;
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
}

function textOf({ path, message }: Issue): string {
  return `${path} ${message}`;
}

/** What vercel.json holds in a fresh copy of this repository. */
export const TEMPLATE_KEYS: ReadonlySet<string> = new Set([
  "$schema",
  "framework",
  "buildCommand",
  "skipMiddlewareRequestBody",
  "functions",
]);

/** `vercel link` writes the folder; Vercel's own variables come by `vercel env pull`. */
function isProject(cwd: string, variables: NodeJS.Dict<string>): boolean {
  return (
    existsSync(join(cwd, ".vercel")) ||
    Object.keys(variables).some((name) => name.startsWith("VERCEL_")) ||
    Object.keys(readVercelJson(cwd) ?? {}).some((key) => !TEMPLATE_KEYS.has(key))
  );
}
