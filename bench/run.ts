/**
 * `npm run bench`: CPU time per request of each row's server. It is started and loaded together with its reference, so that whatever
 * the machine does meanwhile falls on both alike, and several times, since one and the same program is a few percent faster or slower
 * from one start to the next.
 * `--launches 3 --rounds 5 --requests 4000 --only node-proxy,node-host --check`
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Load } from "./load.ts";
import { median, quartiles } from "./median.ts";
import { answering, cpuSeconds, freePort, isPinned, startNode, stop, stopAll } from "./process.ts";
import type { Row } from "./row.ts";
import { PATH, ROWS } from "./rows.ts";

/** To each server. */
const CONNECTIONS = 16;
/** A server falls in cost over its first thousands of requests: before that it is not what it will be. */
const WARM_UP_REQUESTS = 120_000;

const { values } = parseArgs({
  options: {
    launches: { type: "string", default: "3" },
    rounds: { type: "string", default: "5" },
    requests: { type: "string", default: "4000" },
    only: { type: "string" },
    check: { type: "boolean", default: false },
  },
});
const launches = Number(values.launches);
const rounds = Number(values.rounds);
const requests = Number(values.requests);

interface Running {
  readonly row: Row;
  readonly server: ChildProcess;
  readonly port: number;
  /** Sends to it, and to nobody else. */
  readonly load: ChildProcess;
}

interface Result {
  /** Microseconds of CPU per request, one for each round. */
  readonly samples: number[];
  /** How many times that of its reference, in the same seconds. */
  readonly ratios: number[];
}

async function measureRows(rows: readonly Row[], folder: string): Promise<boolean> {
  const backendPort = await freePort();
  const backend = startNode({ args: [join(import.meta.dirname, "backend.ts")], env: { PORT: String(backendPort) } }, "others");
  const backendUrl = `http://127.0.0.1:${backendPort}`;
  await answering(backend, backendUrl);
  const results = new Map<Row, Result>(rows.map((row) => [row, { samples: [], ratios: [] }]));
  for (let launch = 0; launch < launches; launch += 1) {
    for (const row of rows) {
      const reference = rows.find(({ name }) => name === row.reference);
      // It is measured beside those whose reference it is.
      if (!reference && rows.some((other) => other.reference === row.name)) continue;
      progress(`launch ${launch + 1} of ${launches}: ${row.name}`);
      const place = mkdtempSync(join(folder, `${row.name}-`));
      const running = await Promise.all([row, ...(reference ? [reference] : [])].map((each) => start(each, backendUrl, place)));
      const share = row.share ?? 1;
      await measure(running, Math.round(WARM_UP_REQUESTS * share));
      for (let round = 0; round < rounds; round += 1) {
        const [cost, other] = await measure(running, Math.round(requests * share));
        results.get(row)!.samples.push(cost!);
        if (other === undefined) continue;
        results.get(row)!.ratios.push(cost! / other);
        results.get(reference!)!.samples.push(other);
      }
      await stop(running.flatMap(({ server, load }) => [server, load]));
    }
  }
  progress("");
  return report(results);
}

async function start(row: Row, backend: string, folder: string): Promise<Running> {
  const port = await freePort();
  const load = startNode({ args: [join(import.meta.dirname, "load.ts")], talks: true }, "others");
  const server = startNode(row.launch({ backend, port, folder }), "server");
  await answering(server, `http://127.0.0.1:${port}${row.path ?? PATH}`, (await row.tokens?.(1))?.[0]);
  return { row, server, port, load };
}

function chosenRows(): readonly Row[] {
  const only = values.only?.split(",");
  const unknown = only?.find((name) => !ROWS.some((row) => row.name === name));
  if (unknown) throw new Error(`there is no row "${unknown}"; there are ${ROWS.map(({ name }) => name).join(", ")}`);
  return only ? ROWS.filter(({ name }) => only.includes(name)) : ROWS;
}

/** Those that can be measured here; built first, so that no build runs beside a measurement. */
function prepared(rows: readonly Row[]): readonly Row[] {
  return rows.filter((row) => {
    try {
      row.prepare?.();
      return true;
    } catch (error) {
      console.error(`left out ${row.name}: ${(error as Error).message}`);
      return false;
    }
  });
}

/** Sends so many requests, the first one's, to each of them at the same time: what each cost, in microseconds per request. */
async function measure(all: readonly Running[], requests: number): Promise<number[]> {
  const tokens = await all[0]?.row.tokens?.(requests);
  const told = all.map(
    ({ row, port }): Load => ({
      port,
      path: row.path ?? PATH,
      requests,
      connections: CONNECTIONS,
      ...(tokens ? { tokens } : {}),
    }),
  );
  return Promise.all(
    all.map(async ({ row, server, load }, index) => {
      const before = cpuSeconds(server);
      load.send(told[index]!);
      const [{ ok, error }] = await once(load, "message");
      if (!ok) throw new Error(`${row.name}: ${error}`);
      return ((cpuSeconds(server) - before) / requests) * 1e6;
    }),
  );
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** Prints the table and tells whether every target is met. */
function report(results: ReadonlyMap<Row, Result>): boolean {
  let met = true;
  const lines = [...results].map(([row, { samples, ratios }]) => {
    const [low, high] = quartiles(samples);
    const cells = [row.title, `${median(samples).toFixed(1)} µs`, `${low.toFixed(1)}–${high.toFixed(1)}`];
    if (ratios.length === 0) return [...cells, row.reference ? "" : "1.00", "", ""];
    const ratio = median(ratios);
    const [lowRatio, highRatio] = quartiles(ratios);
    cells.push(ratio.toFixed(2), `${lowRatio.toFixed(2)}–${highRatio.toFixed(2)}`);
    if (row.atMost === undefined) return [...cells, ""];
    if (ratio > row.atMost) met = false;
    return [...cells, `≤ ${row.atMost}: ${ratio > row.atMost ? "MISSED" : "met"}`];
  });
  console.log(
    `\n${machine()}\n${launches} launches with ${rounds} rounds of ${requests} requests over ${CONNECTIONS} connections, ${isPinned ? "pinned" : "not pinned"}\n`,
  );
  printTable([["CPU per request", "median", "half within", "× reference", "half within", "target"], ...lines]);
  return met;
}

function printTable(table: readonly (readonly string[])[]): void {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)));
  for (const cells of table) {
    console.log(
      cells
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join("  ")
        .trimEnd(),
    );
  }
}

function machine(): string {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const kernel = readFileSync("/proc/sys/kernel/osrelease", "utf8").trim();
  return `${cpus().length} × ${model}, Linux ${kernel}, Node ${process.version}`;
}

if (process.platform !== "linux") {
  console.error("The bench reads /proc and so needs Linux.");
  process.exit(1);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopAll().finally(() => process.exit(1)));

let met = false;
const folder = mkdtempSync(join(tmpdir(), "frontdesk-bench-"));
try {
  met = await measureRows(prepared(chosenRows()), folder);
  if (values.only === undefined) {
    for (const script of ["match.ts", "pick.ts", "counters.ts"]) {
      const [code] = await once(startNode({ args: [join(import.meta.dirname, script)], prints: true }, "server"), "exit");
      met &&= code === 0;
    }
  }
} finally {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
}
if (values.check && !met) process.exitCode = 1;
