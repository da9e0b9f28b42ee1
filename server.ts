/** The Node host: `npm start` (by way of scripts/start.mjs), `npm run dev`. The gateway comes straight from the socket, the console's pages from Next. */
import { createConsolePages } from "./console-pages.ts";
import { UsageError } from "./lib/cli/command.ts";
import { readServerFlags } from "./lib/cli/server-flags.ts";
import { ConfigError } from "./lib/config/issue.ts";
import { type NodeServer, startNodeServer } from "./lib/hosts/node/server.ts";
import { createBatchedLines } from "./lib/observe/batched-lines.ts";
import { createLog } from "./lib/observe/log.ts";

const log = createLog();

// Ours first: Next installs listeners of its own when it is loaded, and a bug must end the process, not hide in it.
process.on("uncaughtException", (error) => {
  log.error("uncaught exception", { error: error.stack });
  process.exit(1);
});

const { isDev, isDemo, simulatedGeo } = readFlags();
const lines = createBatchedLines(process.stdout, (count, why) => log.error("lines of the request log are lost", { count, why }));
process.on("exit", lines.flush);
const build = process.env.GATEWAY_TEST_BUILD === "1" ? ".next-test" : ".next";
const pages = createConsolePages({ dir: import.meta.dirname, build, dev: isDev });

let server: NodeServer;
try {
  server = await startNodeServer({
    cwd: process.cwd(),
    defaultHost: isDev ? "127.0.0.1" : "0.0.0.0",
    openOnLoopback: isDemo || isDev,
    triesNextPort: isDev,
    simulatedGeo,
    log,
    requestLog: { format: isDemo || isDev ? "pretty" : "json", write: lines.write },
    servePage: pages.serve,
  });
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exit(1);
}
process.on("SIGHUP", reload);
// `npm run dev` asks so: Windows has no SIGHUP.
if (isDev) process.on("message", (message) => message === "reload" && reload());

function reload(): void {
  server.reload().then(
    ({ config }) => log.info("config reloaded", { digest: config.digest }),
    (error: Error) => {
      const message = "the new config is not used; the old one goes on";
      if (isDev) console.error(`${error.message}\n${message}`);
      else log.error(message, { error: error.message });
    },
  );
}

function readFlags() {
  try {
    return readServerFlags(process.argv.slice(2), process.cwd());
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`server.ts: ${error.message}`);
    process.exit(2);
  }
}

let isStopping = false;
const stop = () => {
  if (isStopping) return;
  isStopping = true;
  server.close().then(
    () => process.exit(0),
    (error: Error) => {
      log.error("the shutdown failed", { error: error.stack });
      process.exit(1);
    },
  );
};
process.on("SIGTERM", stop);
process.on("SIGINT", stop);

// Last: who reads it may send a signal at once.
const { address, port } = server;
const host = address === "0.0.0.0" || address === "::" ? "localhost" : address.includes(":") ? `[${address}]` : address;
console.log(`frontdesk listens on http://${host}:${port} (page: /gateway)`);
