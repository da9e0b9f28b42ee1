/** Debian's redis-server for tests: on a free loopback port, writing nothing to disk, gone when the run ends. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { RespConnection } from "./resp-connection.ts";

/** Debian's place first, then wherever this machine keeps its own. */
function findProgram(): string | undefined {
  const folders = ["/usr/bin", ...(process.env["PATH"] ?? "").split(delimiter)];
  return folders.map((folder) => join(folder, "redis-server")).find((program) => existsSync(program));
}

export interface RedisServer {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Installs redis-server where it is missing and this process may. */
export function ensureRedis(): void {
  if (findProgram()) return;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) throw new Error(missing());
  // The service that Debian would start is not ours to run.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  try {
    execFileSync("apt-get", ["update"], { env, stdio: "pipe" });
    execFileSync("apt-get", ["install", "-y", "--no-install-recommends", "redis-server"], { env, stdio: "pipe" });
  } catch (error) {
    throw new Error(missing(), { cause: error });
  }
}

export async function startRedis(): Promise<RedisServer> {
  const program = findProgram();
  if (!program) throw new Error(missing());
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"];
  const child = spawn(program, args, { stdio: "ignore" });
  const killChild = () => child.kill("SIGKILL");
  process.once("exit", killChild);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await answersPing(port, () => child.exitCode !== null);
  return {
    port,
    pid: child.pid!,
    async stop() {
      process.removeListener("exit", killChild);
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function missing(): string {
  return "redis-server is not installed: apt-get install redis-server, or run the tests as root on Debian/Ubuntu so that they can";
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answersPing(port: number, gaveUp: () => boolean): Promise<void> {
  for (;;) {
    const connection = new RespConnection(port);
    const answered = await connection.send(["PING"]).catch(() => undefined);
    connection.close();
    if (answered) return;
    if (gaveUp()) throw new Error("redis-server ended before it answered");
  }
}
