/**
 * Which stores a command works on. Names in Redis begin with the project and its Vercel environment: a command on a laptop must be
 * told which of them is meant, or it would turn the switch of `development` while production goes on.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Environment, readEnvironment, storePrefixOf } from "../config/env.ts";
import { type Call, type Flag, UsageError } from "./command.ts";

export const ENV_FLAG: Flag = {
  type: "string",
  value: "name",
  help: "with Redis: the Vercel environment that is meant, such as production",
};

/** Throws a UsageError where Redis is shared by several environments and none is named. */
export function storeEnvironment(call: Call): Environment {
  const environment = readEnvironment(call.cwd);
  const { redis, variables } = environment;
  const wanted = call.one("env") ?? variables.VERCEL_ENV;
  if (!redis || variables.GATEWAY_STORE_PREFIX !== undefined) {
    if (call.one("env") === undefined) return environment;
    const why = redis
      ? "GATEWAY_STORE_PREFIX says which names are meant"
      : "there is no Redis here, but the stores of this machine";
    throw new UsageError(`--env: ${why}.`);
  }
  const prefix = (name: string) => storePrefixOf({ VERCEL_PROJECT_ID: linkedProject(call.cwd), ...variables, VERCEL_ENV: name });
  if (wanted === undefined) {
    const [production, development] = [prefix("production"), prefix("development")];
    throw new UsageError(
      `Redis is shared by the environments of a project. Say which is meant: --env production (names begin with ${production}), ` +
        `--env development (${development}, also those of a Node host), or --url for a running gateway.`,
    );
  }
  return { ...environment, storePrefix: prefix(wanted) };
}

/** `vercel link` writes it; on Vercel itself the variable VERCEL_PROJECT_ID has the same. */
function linkedProject(cwd: string): string | undefined {
  try {
    const { projectId } = JSON.parse(readFileSync(join(cwd, ".vercel", "project.json"), "utf8")) as { projectId?: unknown };
    return typeof projectId === "string" ? projectId : undefined;
  } catch {
    return undefined;
  }
}
