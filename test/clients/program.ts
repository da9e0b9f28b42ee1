/** Programs that are no packages: run with an environment of their own, and looked for before the tests begin. */
import { spawn, spawnSync } from "node:child_process";

export interface Ran {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
}

/** Of this process's environment it sees PATH and nothing else: no proxy, no registry, no credentials of the developer's. */
export function runProgram(command: string, args: readonly string[], { cwd, env = {}, input }: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { PATH: process.env["PATH"]!, ...env } as unknown as NodeJS.ProcessEnv });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }));
    // A program may end without having read it all.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** Like `runProgram`, for what must go well: fails with what the program said. */
export async function runWell(command: string, args: readonly string[], options?: RunOptions): Promise<string> {
  const { code, stdout, stderr } = await runProgram(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${stderr}${stdout.toString()}`);
  return stdout.toString();
}

/** Throws with what to install where one is missing. */
export function ensurePrograms(): void {
  const needed: [program: string, args: string[]][] = [
    ["curl", ["--version"]],
    ["git", ["--version"]],
  ];
  const missing = needed.filter(([program, args]) => spawnSync(program, args).status !== 0).map(([program]) => program);
  if (missing.length > 0)
    throw new Error(`These tests need ${missing.join(" and ")}: on Debian, apt-get install ${missing.join(" ")}.`);
}
