/** A running gateway for the console's tests: a Node host with a production build of the pages, backends, and some traffic. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileConfig } from "#lib/compiler/compile.ts";
import { loadConfig } from "#lib/compiler/load-config.ts";
import { parseEnvironment } from "#lib/config/env.ts";
import { type Backend, type Handler, startBackend } from "../support/backend.ts";
import { ADMIN_TOKEN, type HostProcess, startHost, temporaryFolder } from "../support/host-process.ts";
import { sendRaw } from "../support/raw-client.ts";
import { CONFIG } from "./console-config.ts";

export interface ConsoleHost {
  readonly origin: string;
  readonly host: HostProcess;
  readonly backend: Backend;
  stop(): Promise<void>;
}

export async function startConsoleHost(): Promise<ConsoleHost> {
  const backend = await startBackend();
  const variables = { BACKEND_URL: backend.url, CANARY_URL: `${backend.url}/canary` };
  // The pages' bundle reads a config when it is loaded, although the gateway beside it has its own.
  const compiled = join(temporaryFolder(), "compiled.json");
  const source = await loadConfig(parseEnvironment(variables), { cwd: import.meta.dirname, file: CONFIG });
  writeFileSync(compiled, JSON.stringify(compileConfig(source, { vercel: false }).config));
  const env = { ...variables, GATEWAY_TEST_BUILD: "1", GATEWAY_TEST_COMPILED: compiled };
  const host = await startHost("node", { config: CONFIG, env });
  return {
    origin: `http://127.0.0.1:${host.port}`,
    host,
    backend,
    async stop() {
      await host.stop();
      backend.close();
    },
  };
}

/** The operator's call of the admin API, by the token. */
export async function callAsOperator({ origin }: ConsoleHost, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${origin}/gateway/api/${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return answer.json();
}

export interface Traffic {
  /** Of the request that the limit refused. */
  readonly limitedId: string;
}

/** Answers, hits of the cache, refusals of several kinds, failures, and a key that was used. */
export async function makeTraffic(console: ConsoleHost): Promise<Traffic> {
  const { port } = console.host;
  const get = (target: string, headers: readonly string[] = []) => sendRaw(port, { target, headers });
  const { key } = (await callAsOperator(console, "POST", "keys", {
    name: "acme, production",
    consumer: "acme",
    scopes: ["orders:read"],
  })) as { key: string };
  const cacheable: Handler = (_, response) =>
    response.writeHead(200, { "cache-control": "max-age=60", "content-type": "application/json" }).end("[]");
  for (const id of [1, 2, 3]) console.backend.on(`/products/${id}`, cacheable);
  for (let round = 0; round < 4; round++) {
    for (const id of [1, 2, 3]) await get(`/products/${id}`);
    await get(`/orders/${round}`, ["x-api-key", key]);
    await get(`/orders/${round}`);
    await get(`/next/${round}`);
    await get("/news/today");
  }
  await get("/orders/1", ["x-api-key", "fd_live_wrong"]);
  for (let round = 0; round < 3; round++) await get("/broken/it");
  await get("/nowhere");
  await get("/limited");
  await get("/limited");
  const limited = JSON.parse((await get("/limited")).body.toString()) as { requestId: string };
  return { limitedId: limited.requestId };
}
