/** Builds the console's pages where there is no build, or one older than what it is made of. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

const SOURCES = ["app", "lib", "middleware.ts", "next.config.ts", "gateway.config.ts", "package-lock.json"];

export function isBuilt(root: string): boolean {
  const build = join(root, ".next", "BUILD_ID");
  return existsSync(build) && SOURCES.every((source) => newestMs(join(root, source)) <= statSync(build).mtimeMs);
}

function newestMs(path: string): number {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  const files = readdirSync(path, { recursive: true, encoding: "utf8" });
  return Math.max(mtimeMs, ...files.map((file) => statSync(join(path, file)).mtimeMs));
}

export interface Build {
  /** Resolves with nothing, or with what the build said when it failed. */
  readonly done: Promise<string | undefined>;
  stop(): void;
}

/** What `npm run build` does, quietly. */
export function startBuild(root: string, env: NodeJS.ProcessEnv): Build {
  // Pages of the old build must not be served while the new one takes its place.
  rmSync(join(root, ".next", "BUILD_ID"), { force: true });
  const steps = [["scripts/compile-config.ts"], ["node_modules/next/dist/bin/next", "build"]];
  let current: ChildProcess | undefined;
  let isStopped = false;
  const run = (args: readonly string[]) =>
    new Promise<string | undefined>((resolve) => {
      let said = "";
      current = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
      for (const stream of [current.stdout!, current.stderr!]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          said += text;
        });
      }
      current.on("error", (error) => resolve(error.message));
      current.on("close", (code) => resolve(code === 0 ? undefined : said.trim()));
    });
  const runAll = async () => {
    for (const step of steps) {
      const failure = isStopped ? undefined : await run(step);
      if (failure !== undefined) return failure;
    }
    return undefined;
  };
  return {
    done: runAll(),
    stop() {
      isStopped = true;
      current?.kill("SIGTERM");
    },
  };
}
