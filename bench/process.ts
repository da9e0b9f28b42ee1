/** Processes of the bench: pinned to a core where `taskset` exists, measured by /proc, ended by their id. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";

/** The server has a core of its own; load and backend share the others. */
export type Core = "server" | "others";

const CORES = availableParallelism();
export const isPinned = CORES > 1 && spawnSync("taskset", ["--version"]).status === 0;
const CORE_LISTS: Record<Core, string> = { server: "0", others: `1-${CORES - 1}` };

export interface Launch {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Whether messages are exchanged with it. */
  readonly talks?: boolean;
  /** Whether what it prints is shown. */
  readonly prints?: boolean;
}

const running = new Set<ChildProcess>();

export function startNode({ args, env = {}, cwd, talks = false, prints = false }: Launch, core: Core): ChildProcess {
  const command = isPinned ? ["taskset", "-c", CORE_LISTS[core], process.execPath, ...args] : [process.execPath, ...args];
  const child = spawn(command[0]!, command.slice(1), {
    cwd,
    env: { ...process.env, NODE_ENV: "production", ...env },
    // What a server logs is thrown away as by a log drain, its complaints are not.
    stdio: ["ignore", prints ? "inherit" : "ignore", "inherit", talks ? "ipc" : "ignore"],
  });
  running.add(child);
  child.on("exit", () => running.delete(child));
  return child;
}

/** Ends every process that was started here; resolves when all are gone. */
export async function stopAll(): Promise<void> {
  await Promise.all(
    [...running].map((child) => {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      return gone;
    }),
  );
}

const TICKS_PER_SECOND = Number(spawnSync("getconf", ["CLK_TCK"], { encoding: "utf8" }).stdout);

/** Seconds of CPU that a process has used in all of its threads, user and system (proc(5): utime and stime). */
export function cpuSeconds({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The command's name stands in parentheses and may hold blanks; the first field behind it is the third.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}

/** Resolves when the address answers 200; rejects when the process ends or does not answer in time. */
export async function answering(child: ChildProcess, url: string, token?: string, withinMs = 30_000): Promise<void> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(" ")} ended with ${child.exitCode}`);
    const answer = await fetch(url, { headers }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} did not answer 200 within ${withinMs} ms`);
}
