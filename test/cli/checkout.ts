/** A folder in which the command runs as a user's would: `#frontdesk` resolves there, and no `.env` of a developer is read. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { runCommand } from "#lib/cli/run-command.ts";

export const ROOT = join(import.meta.dirname, "..", "..");
export const COMMAND = join(ROOT, "lib", "cli", "frontdesk.ts");

/** Of one command after the other: half of what each takes is to compile the same files. */
const COMPILE_CACHE = join(ROOT, ".frontdesk", "compile-cache");

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Checkout {
  readonly folder: string;
  frontdesk(...args: string[]): Promise<Ran>;
  /** The same without a process of its own, which costs a second: one call at a time. */
  call(...args: string[]): Promise<Ran>;
}

export function checkout(files: Readonly<Record<string, string>> = {}, env: Readonly<Record<string, string>> = {}): Checkout {
  const folder = mkdtempSync(join(tmpdir(), "frontdesk-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ type: "module", imports: { "#frontdesk": "./lib/public/frontdesk.ts" } }),
  );
  symlinkSync(join(ROOT, "lib"), join(folder, "lib"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return {
    folder,
    frontdesk: (...args) => run(process.execPath, [COMMAND, ...args], folder, env),
    call: (...args) => runHere(args, folder, env),
  };
}

async function runHere(args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<Ran> {
  const own = process.env;
  process.env = { ...env } as NodeJS.ProcessEnv;
  try {
    const { code, out, err } = await runCommand(args, cwd);
    return { code, out: out === undefined ? "" : `${out}\n`, err: err === undefined ? "" : `${err}\n` };
  } finally {
    process.env = own;
  }
}

export function run(
  file: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  // Nothing of the test's own environment but what finds programs.
  const variables: Record<string, string> = { PATH: process.env["PATH"]!, NODE_COMPILE_CACHE: COMPILE_CACHE, ...env };
  const options = { cwd, env: variables as NodeJS.ProcessEnv };
  return new Promise((resolve) => {
    execFile(file, args, options, (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }));
  });
}
