/** An offline `vercel build` of a copy of this repository, by the CLI that deploys, with no login and no network of Vercel's. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

const CLI_VERSION = "64.0.2";

/** Builds `root` below `folder` and returns the output's folder. */
export function vercelBuild(root: string, folder: string, env: Readonly<Record<string, string>>): string {
  const copy = join(folder, "repository");
  copyRepository(root, copy);
  // What `vercel link` would have written.
  const settings = { framework: "nextjs", installCommand: "echo skip" };
  mkdirSync(join(copy, ".vercel"), { recursive: true });
  writeFileSync(join(copy, ".vercel", "project.json"), JSON.stringify({ projectId: "x", orgId: "x", settings }));
  // Standalone: each function's folder holds all that it needs.
  runNode([installedCli(), "build", "--yes", "--standalone"], copy, { VERCEL_TELEMETRY_DISABLED: "1", ...env });
  return join(copy, ".vercel", "output");
}

/** What a clone has, uncommitted changes included, and what `npm ci` would put beside it. */
function copyRepository(root: string, copy: string): void {
  const { stdout } = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  for (const file of stdout.split("\0").filter((name) => name !== "" && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  cpSync(join(root, "node_modules"), join(copy, "node_modules"), { recursive: true, verbatimSymlinks: true });
}

/** 360 MB that nothing else needs: installed once, outside the repository. */
function installedCli(): string {
  const folder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "frontdesk", `vercel-${CLI_VERSION}`);
  const cli = join(folder, "node_modules", "vercel", "dist", "vc.js");
  if (existsSync(cli)) return cli;
  mkdirSync(folder, { recursive: true });
  // It asks for a version of `sandbox` that does not exist.
  const manifest = { private: true, dependencies: { vercel: CLI_VERSION }, overrides: { sandbox: "latest" } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  // Where a machine has certificates of its own, npm needs them under any Node.
  const env = { ...process.env, NODE_USE_SYSTEM_CA: "1" };
  const { status, stderr } = spawnSync("npm", ["install", "--no-audit", "--no-fund"], { cwd: folder, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`vercel@${CLI_VERSION} could not be installed:\n${stderr}`);
  return cli;
}

function runNode(args: string[], cwd: string, env: Readonly<Record<string, string>>): void {
  const path = `${dirname(process.execPath)}:${process.env["PATH"]}`;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd,
    env: { ...process.env, PATH: path, ...env },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}:\n${stdout}\n${stderr}`);
}

export function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, "utf8")) as T;
}
