/** What the bench measures, row by row. A later issue adds its rows here; run.ts knows none of them by name. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Launch } from "./process.ts";

export const ROOT = join(import.meta.dirname, "..");

export interface Row {
  readonly name: string;
  readonly title: string;
  /** The row that is 1.0 to this one, earlier in the list. */
  readonly reference?: string;
  /** The target: at most so many times the reference. `--check` fails above it. */
  readonly atMost?: number;
  /** What is asked for; the backend answers everything alike. */
  readonly path?: string;
  /** Slow servers get this share of `--requests`, so that a round stays short. */
  readonly share?: number;
  /** Why it can't be measured here, or nothing. */
  missing?(): string | undefined;
  launch(backend: string, port: number): Launch;
}

const NEXT = join(ROOT, "node_modules", "next", "dist", "bin", "next");
export const NEXT_PAIR = join(import.meta.dirname, "reference", "next-pair");

/** One plain forward route. */
const forwardTo = (backend: string) =>
  JSON.stringify({ backends: { b: backend }, routes: [{ path: "/x/*", backend: "b", stripPrefix: "/x", auth: "none" }] });

export const ROWS: readonly Row[] = [
  {
    name: "node-proxy",
    title: "plain node:http proxy (the reference)",
    launch: (backend, port) => ({
      args: [join(import.meta.dirname, "reference", "node-proxy.mjs")],
      env: { BACKEND: backend, PORT: String(port) },
    }),
  },
  {
    name: "node-host",
    title: "Frontdesk, Node host: plain forward",
    reference: "node-proxy",
    atMost: 0.75,
    missing: () => (existsSync(join(ROOT, "server.ts")) ? undefined : "there is no server.ts"),
    launch: (backend, port) => ({
      args: ["server.ts"],
      cwd: ROOT,
      env: { GATEWAY_CONFIG: forwardTo(backend), PORT: String(port), HOST: "127.0.0.1" },
    }),
  },
];
