/** Processes of the bench: pinned to a core where `taskset` exists, measured by /proc, ended by their id. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
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

/** Ends processes that were started here; resolves when they are gone. */
export async function stop(children: Iterable<ChildProcess>): Promise<void> {
  await Promise.all(
    Array.from(children, (child) => {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      return gone;
    }),
  );
}

export function stopAll(): Promise<void> {
  return stop(running);
}

/**
 * Seconds of CPU that a process has used in all of its threads (the first number of each schedstat, nanoseconds of running). The
 * ticks of /proc/pid/stat are 10 ms each: over a short round they are too coarse.
 */
export function cpuSeconds({ pid }: ChildProcess): number {
  const tasks = `/proc/${pid}/task`;
  return (
    readdirSync(tasks).reduce((sum, task) => sum + Number.parseInt(readFileSync(`${tasks}/${task}/schedstat`, "latin1"), 10), 0) /
    1e9
  );
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
