/** What the bench measures, row by row. run.ts knows none of them by name. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileConfig } from "../lib/compiler/compile.ts";
import { parseJson } from "../lib/compiler/parse-text.ts";
import { ensureTestBuild } from "../scripts/test-build.ts";
import { drawKeys, storeKeys } from "./api-keys.ts";
import { buildNext } from "./build-next.ts";
import { jwtRows } from "./jwt-rows.ts";
import type { Row } from "./row.ts";

export const PATH = "/x/api/products/42?sort=price&page=2";

const ROOT = join(import.meta.dirname, "..");
const NEXT = join(ROOT, "node_modules", "next", "dist", "bin", "next");
const NEXT_PAIR = join(import.meta.dirname, "reference", "next-pair");
const nextStart = (port: number) => [NEXT, "start", "--port", String(port), "--hostname", "127.0.0.1"];

/** One plain forward route, with what is given beside it: a limit that nobody reaches, a cache, callers with API keys. */
const forwardTo = (backend: string, more: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({
    backends: { b: backend },
    // Servers share a core here, so that each finds its event loop late.
    overload: false,
    auth: { keys: { apiKey: {} } },
    routes: [{ path: "/x/*", backend: "b", stripPrefix: "/x", auth: "none", ...more }],
  });

/** The Node host with so many keys in its store, sent in turn. */
function keyRow(name: string, title: string, count: number, more: Partial<Row>): Row {
  const keys = drawKeys(count);
  let sent = 0;
  return {
    name,
    title,
    reference: "node-host",
    tokens: async (requests) => Array.from({ length: requests }, () => keys[sent++ % keys.length]!),
    ...more,
    launch({ backend, port, folder }) {
      const cwd = join(folder, name);
      storeKeys(keys, cwd);
      return {
        args: [join(ROOT, "scripts", "start.mjs")],
        cwd,
        env: { GATEWAY_CONFIG: forwardTo(backend, { auth: "keys" }), PORT: String(port), HOST: "127.0.0.1" },
      };
    },
  };
}
export const ROWS: readonly Row[] = [
  {
    name: "node-proxy",
    title: "plain node:http proxy (reference)",
    launch: ({ backend, port }) => ({
      args: [join(import.meta.dirname, "reference", "node-proxy.mjs")],
      env: { BACKEND: backend, PORT: String(port) },
    }),
  },
  {
    name: "node-host",
    title: "Node host, plain forward",
    reference: "node-proxy",
    atMost: 0.75,
    // In the empty folder no `.env` is found.
    launch: ({ backend, port, folder }) => ({
      args: [join(ROOT, "scripts", "start.mjs")],
      cwd: folder,
      env: { GATEWAY_CONFIG: forwardTo(backend), PORT: String(port), HOST: "127.0.0.1" },
    }),
  },
  ...jwtRows,
  {
    name: "node-host-limit",
    title: "Node host, a limit in memory",
    reference: "node-host",
    atMost: 1.05,
    launch: ({ backend, port, folder }) => ({
      args: [join(ROOT, "scripts", "start.mjs")],
      cwd: folder,
      env: { GATEWAY_CONFIG: forwardTo(backend, { limit: "1000000000/m" }), PORT: String(port), HOST: "127.0.0.1" },
    }),
  },
  {
    name: "node-host-hit",
    title: "Node host, answered from the cache",
    reference: "node-host",
    atMost: 0.5,
    path: "/x/shared/products/42?sort=price&page=2",
    launch: ({ backend, port, folder }) => ({
      args: [join(ROOT, "scripts", "start.mjs")],
      cwd: folder,
      env: {
        GATEWAY_CONFIG: forwardTo(backend, { cache: true }),
        PORT: String(port),
        HOST: "127.0.0.1",
        GATEWAY_DATA_DIR: "hits",
      },
    }),
  },
  keyRow("api-key", "Node host, API key that is remembered", 1, { atMost: 1.05 }),
  keyRow("api-key-turns", "Node host, 100 such keys in turn", 100, { atMost: 1.05 }),
  // More than an instance remembers: when a key's turn comes again, it was forgotten.
  keyRow("api-key-new", "Node host, API key at first sight", 20_000, {}),
  {
    name: "next-pair",
    title: "bare Next middleware + handler (reference)",
    share: 0.1,
    prepare: () => buildNext(NEXT, NEXT_PAIR),
    launch: ({ backend, port }) => ({ args: nextStart(port), cwd: NEXT_PAIR, env: { BACKEND: backend } }),
  },
  {
    name: "vercel-shape",
    title: "Vercel shape, plain forward",
    reference: "next-pair",
    share: 0.1,
    prepare: ensureTestBuild,
    launch({ backend, port, folder }) {
      const compiled = join(folder, "compiled.json");
      writeFileSync(compiled, JSON.stringify(compileConfig(parseJson(forwardTo(backend), "bench"), { vercel: false }).config));
      return { args: nextStart(port), cwd: ROOT, env: { GATEWAY_TEST_BUILD: "1", GATEWAY_TEST_COMPILED: compiled } };
    },
  },
];
