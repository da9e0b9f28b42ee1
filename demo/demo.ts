/**
 * `npm run demo`: the sample backends in this process, the Node host as a process of its own on port 4000 or the next free one,
 * the console's pages built beside it where they must be, and commands to try. `--no-page` leaves the pages out, `--geo DE`
 * puts every caller there.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { styleText } from "node:util";
import { startBackends } from "./backends/index.ts";
import { type Build, isBuilt, startBuild } from "./console-build.ts";
import { CURLS, fillIn } from "./curls.ts";

const root = join(import.meta.dirname, "..");
const FIRST_PORT = 4000;
const PORTS_TRIED = 50;

/** A variable of the user's own gateway means nothing here, and HOST must stay this machine: the console is open to it. */
const environment: NodeJS.ProcessEnv = {
  // The gateway's lines come by way of this process, which knows whether the terminal takes colours.
  ...(process.stdout.isTTY && process.stdout.hasColors() && { FORCE_COLOR: "1" }),
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:GATEWAY_|UPSTASH_|KV_REST_|VERCEL|HOST$)/.test(name)),
  ),
  NODE_ENV: "production",
};

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer().once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

/** PORT if it is set, then 4000 and up. */
async function choosePort(): Promise<number> {
  const wanted = process.env.PORT ? Number(process.env.PORT) : FIRST_PORT;
  if (wanted === 0) return 0;
  for (let port = wanted; port < wanted + PORTS_TRIED; port += 1) {
    if (!(await isFree(port))) continue;
    if (port !== wanted) console.log(`Port ${wanted} is taken, so this is port ${port}.`);
    return port;
  }
  throw new Error(`none of the ports ${wanted} to ${wanted + PORTS_TRIED - 1} is free`);
}

/** For `frontdesk doctor`: this machine is the operator without it, and whoever else gets here can't know it. */
const ADMIN_TOKEN = randomBytes(18).toString("base64url");

/** All but one are the server's, which reads and judges them: `--geo DE` puts every caller there. */
const NO_PAGE = "--no-page";
const serverFlags = process.argv.slice(2).filter((flag) => flag !== NO_PAGE);

interface Gateway {
  readonly process: ChildProcess;
  readonly address: string;
}

/** In the demo's folder `server.ts` finds the demo's config, and neither the user's `.env` nor the user's data. */
async function startGateway(variables: Readonly<Record<string, string>>): Promise<Gateway> {
  const server = spawn(process.execPath, [join(root, "scripts", "start.mjs"), "--open-on-loopback", ...serverFlags], {
    cwd: import.meta.dirname,
    env: { ...environment, ...variables, GATEWAY_ADMIN_TOKEN: ADMIN_TOKEN, HOST: "127.0.0.1", PORT: String(await choosePort()) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface(server.stdout);
  return new Promise((resolve, reject) => {
    server.once("exit", (code) => reject(new Error(`server.ts ended with ${code}`)));
    lines.on("line", (line) => {
      const address = /^frontdesk listens on (http:\S+)/.exec(line)?.[1];
      if (address) resolve({ process: server, address });
      else console.log(line);
    });
  });
}

/** An API key for the commands below: made by the admin API, and good for a day. */
async function makeKey({ address }: Gateway): Promise<string> {
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
  const answer = await fetch(`${address}/gateway/api/keys`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "the demo's", consumer: "demo", scopes: ["orders:read"], expiresAt }),
  });
  if (!answer.ok) throw new Error(`no key could be made: ${await answer.text()}`);
  return ((await answer.json()) as { key: string }).key;
}

const bold = (text: string) => styleText("bold", text);
const quiet = (text: string) => styleText("gray", text);

function printGuide({ process: { pid }, address }: Gateway, key: string, page: string): void {
  const filling = { gateway: address, pid: pid!, key, token: ADMIN_TOKEN };
  console.log(`\n${bold("Frontdesk's demo")}\n`);
  console.log(`  gateway  ${styleText("cyan", address)}`);
  console.log(`  page     ${styleText("cyan", `${address}/gateway`)}  ${quiet(page)}`);
  console.log(`  config   demo/gateway.config.ts`);
  for (const { title, curls } of CURLS) {
    console.log(`\n${bold(title)}`);
    for (const { command, shows } of curls) {
      console.log(`  ${quiet(`# ${shows}`)}\n  ${styleText("green", fillIn(command, filling))}`);
    }
  }
  console.log(`\n${quiet("Ctrl-C stops everything.")}\n`);
}

async function present(running: Gateway): Promise<void> {
  const key = await makeKey(running);
  if (process.argv.includes(NO_PAGE)) return printGuide(running, key, "left out");
  if (isBuilt(root)) return printGuide(running, key, "");
  const startedMs = performance.now();
  build = startBuild(root, environment);
  printGuide(running, key, "being built: ready in less than a minute");
  const failure = await build.done;
  if (isStopping) return;
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  if (failure === undefined) console.log(`The page is ready after ${seconds} s: ${running.address}/gateway`);
  else console.error(`The page could not be built; the gateway does without.\n${failure}`);
}

const backends = await startBackends();
let build: Build | undefined;
let gateway: Gateway | undefined;

let isStopping = false;
async function stop(code: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  build?.stop();
  const server = gateway?.process;
  if (server && server.exitCode === null && server.signalCode === null) {
    const gone = once(server, "exit");
    server.kill("SIGTERM");
    await gone;
  }
  backends.close();
  process.exit(code);
}
// A closed terminal sends SIGHUP; the reload is the gateway's own process.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop(0));

try {
  gateway = await startGateway(backends.variables);
  gateway.process.on("exit", (code) => stop(code ?? 1));
  await present(gateway);
} catch (error) {
  console.error((error as Error).message);
  await stop(1);
}
