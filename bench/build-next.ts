/** Builds the reference Next app where its build is missing or older than its sources. Throws with what the build said. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export function buildNext(next: string, app: string): void {
  const build = join(app, ".next", "BUILD_ID");
  if (existsSync(build) && newestMs(app) <= statSync(build).mtimeMs) return;
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [next, "build"], { cwd: app, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`next build failed:\n${stdout}${stderr}`);
}

function newestMs(folder: string): number {
  const sources = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.parentPath.includes(".next"),
  );
  return Math.max(...sources.map(({ parentPath, name }) => statSync(join(parentPath, name)).mtimeMs));
}
