/** Frontends as their developers run them: `next dev`, and Vite's dev server. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createServer } from "vite";
import { vi } from "vitest";
import { ROOT, run } from "./host-process.ts";
import { until } from "./until.ts";

export interface Frontend {
  readonly port: number;
  stop(): unknown;
}

/** In development: a build would hold the address that the gateway had when it was made. */
export async function startNextFrontend(folder: string, env: Readonly<Record<string, string>>): Promise<Frontend> {
  rmSync(join(folder, ".next"), { recursive: true, force: true });
  const args = [join(ROOT, "node_modules/next/dist/bin/next"), "dev", "--port", "0", "--hostname", "127.0.0.1"];
  const { child, output } = run(args, folder, { ...env, NEXT_TELEMETRY_DISABLED: "1" });
  const port = await until(() => {
    if (child.exitCode !== null) throw new Error(output.join(""));
    return /http:\/\/127\.0\.0\.1:(\d+)[\s\S]*Ready/.exec(output.join(""))?.[1];
  }, "the frontend to listen");
  const stop = async () => {
    child.kill("SIGTERM");
    await until(() => child.exitCode !== null || child.signalCode !== null, "the frontend's end");
    rmSync(join(folder, ".next"), { recursive: true, force: true });
  };
  return { port: Number(port), stop };
}

/** Its plugins read the variables for each request, so they stay until it stops. */
export async function startViteFrontend(folder: string, env: Readonly<Record<string, string>>): Promise<Frontend> {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const server = await createServer({
    root: folder,
    configFile: join(folder, "vite.config.ts"),
    logLevel: "silent",
    server: { host: "127.0.0.1", port: 0 },
  });
  await server.listen();
  const stop = async () => {
    vi.unstubAllEnvs();
    await server.close();
  };
  return { port: Number(new URL(server.resolvedUrls!.local[0]!).port), stop };
}
