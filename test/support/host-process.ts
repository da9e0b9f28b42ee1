/** The two hosts as processes of their own, as users run them: `npm start`, and the built Vercel shape under `next start`. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileConfig } from "#lib/compiler/compile.ts";
import { loadConfig } from "#lib/compiler/load-config.ts";
import { parseEnvironment } from "#lib/config/env.ts";
import { until } from "./until.ts";

export const ROOT = join(import.meta.dirname, "..", "..");
export const HOST_NAMES = ["node", "vercel"] as const;
export type HostName = (typeof HOST_NAMES)[number];

export const ADMIN_TOKEN = "test-admin-token-0123456789";

export interface HostOptions {
  /** A config file. */
  readonly config: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Where the Node host runs: a folder of its own by default. */
  readonly cwd?: string;
}

/** Nothing outlives the tests, however they end. */
const children = new Set<ChildProcess>();
const folders = new Set<string>();
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export class HostProcess {
  readonly name: HostName;
  readonly port: number;
  readonly child: ChildProcess;
  readonly #output: string[];

  constructor(name: HostName, port: number, child: ChildProcess, output: string[]) {
    this.name = name;
    this.port = port;
    this.child = child;
    this.#output = output;
  }

  /** Everything that it has printed. */
  get output(): string {
    return this.#output.join("");
  }

  /** What it has printed since the last call, which is then forgotten: for runs that print without end. */
  takeOutput(): string {
    return this.#output.splice(0).join("");
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Its exit code, once it has ended by itself or by a signal. */
  async ended(): Promise<number | null> {
    await until(() => this.child.exitCode !== null || this.child.signalCode !== null, `the end of the ${this.name} host`);
    return this.child.exitCode;
  }

  async stop(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended();
  }
}

export async function startHost(name: HostName, options: HostOptions): Promise<HostProcess> {
  return name === "node" ? startNodeHost(options) : startVercelShape(options);
}

/** In a folder of its own: no `.env` of the developer's is read, and nothing is left behind. */
export async function startNodeHost({ config, env = {}, cwd = temporaryFolder() }: HostOptions): Promise<HostProcess> {
  const variables = { GATEWAY_CONFIG_FILE: config, PORT: "0", HOST: "127.0.0.1", GATEWAY_ADMIN_TOKEN: ADMIN_TOKEN, ...env };
  const { child, output } = run([join(ROOT, "scripts", "start.mjs")], cwd, variables);
  return ready("node", child, output, /frontdesk listens on http:\/\/\S+:(\d+)/);
}

async function startVercelShape({ config, env = {} }: HostOptions): Promise<HostProcess> {
  const compiled = join(temporaryFolder(), "compiled.json");
  const source = await loadConfig(parseEnvironment(env), { cwd: ROOT, file: config });
  writeFileSync(compiled, JSON.stringify(compileConfig(source, { vercel: false }).config));
  // `next start` itself, not npx: killing that would leave its server alive.
  const args = [join(ROOT, "node_modules/next/dist/bin/next"), "start", "--port", "0", "--hostname", "127.0.0.1"];
  const variables = {
    GATEWAY_TEST_BUILD: "1",
    GATEWAY_TEST_COMPILED: compiled,
    GATEWAY_ADMIN_TOKEN: ADMIN_TOKEN,
    NEXT_TELEMETRY_DISABLED: "1",
    ...env,
  };
  const { child, output } = run(args, ROOT, variables);
  return ready("vercel", child, output, /http:\/\/127\.0\.0\.1:(\d+)[\s\S]*Ready/);
}

export function run(
  args: string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): { child: ChildProcess; output: string[] } {
  // Nothing of this process's environment but what finds programs: NODE_OPTIONS and NODE_ENV of vitest are not the users'.
  const child = spawn(process.execPath, args, {
    cwd,
    env: { PATH: process.env["PATH"], ...env } as unknown as NodeJS.ProcessEnv,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: string[] = [];
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk: Buffer) => output.push(chunk.toString()));
  children.add(child);
  child.once("exit", () => children.delete(child));
  return { child, output };
}

async function ready(name: HostName, child: ChildProcess, output: string[], line: RegExp): Promise<HostProcess> {
  const port = await until(() => {
    if (child.exitCode !== null) throw new Error(`the ${name} host ended with ${child.exitCode}:\n${output.join("")}`);
    return line.exec(output.join(""))?.[1];
  }, `the ${name} host to listen`);
  // Next says that it is ready a moment before it listens.
  await until(() => answers(Number(port)), `port ${port} to be open`);
  return new HostProcess(name, Number(port), child, output);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "frontdesk-test-"));
  folders.add(folder);
  return folder;
}
