/** The public suite for HTTP caches (https://cache-tests.fyi, npm `http-cache-tests`), run as it is against a gateway. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface SuiteCase {
  readonly id: string;
  readonly name: string;
  /** Required where it does not say. */
  readonly kind?: "required" | "optimal" | "check";
  readonly browser_only?: boolean;
  readonly depends_on?: readonly string[];
}

interface Suite {
  readonly tests: readonly SuiteCase[];
}

/** True, or what kind of failure it was and in which words. */
export type Outcome = true | readonly [kind: string, words: string];

type Handler = (segments: string[], request: IncomingMessage, response: ServerResponse) => void;

const PACKAGE = "http-cache-tests";

/** It has no types of its own. */
async function load<Module>(path: string): Promise<Module> {
  return (await import(`${PACKAGE}/${path}`)) as Module;
}

/** The suite's own backend, in its own words, on loopback. */
export async function startSuiteBackend(): Promise<{ readonly url: string; close(): void }> {
  const handlers = new Map<string, Handler>();
  for (const name of ["config", "test", "state"])
    handlers.set(name, (await load<{ default: Handler }>(`server/handle-${name}.mjs`)).default);
  const server = createServer((request, response) => {
    const [, kind = "", ...segments] = new URL(request.url!, "http://suite").pathname.split("/");
    const handler = handlers.get(kind);
    if (handler) handler(segments, request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** Those that are for a cache that stands between, Surrogate-Control included. */
export async function suiteCases(): Promise<readonly SuiteCase[]> {
  return (await suites()).flatMap(({ tests }) => tests).filter((each) => !each.browser_only);
}

async function suites(): Promise<readonly Suite[]> {
  const main = await load<{ default: readonly Suite[] }>("tests/index.mjs");
  const surrogate = await load<{ default: Suite }>("tests/surrogate-control.mjs");
  return [...main.default, surrogate.default];
}

/** How many cases run at once. */
const AT_ONCE = 50;

/**
 * With the suite's own client, which is node-fetch. Its cases count real seconds, some of them two: one that fails, which on a busy
 * machine may be for want of time, is judged by a second try beside few others.
 */
export async function runSuite(base: string): Promise<Readonly<Record<string, Outcome>>> {
  const runner = await load<{
    runTests(suites: readonly Suite[], fetch: unknown, isBrowser: boolean, base: string, atOnce: number): Promise<void>;
    getResults(): Record<string, Outcome>;
  }>("client/runner.mjs");
  const { makeCacheTest, testResults } = await load<{
    makeCacheTest(test: SuiteCase): Promise<void>;
    testResults: Record<string, Outcome>;
  }>("client/test.mjs");
  const client = "node-fetch";
  const { default: fetch } = (await import(client)) as { default: unknown };
  await runner.runTests(await suites(), fetch, false, base, AT_ONCE);
  const failed = (await suiteCases()).filter(({ id, kind }) => kind !== "check" && testResults[id] !== true);
  for (const { id } of failed) delete testResults[id];
  await Promise.all(failed.map(makeCacheTest));
  return runner.getResults();
}
