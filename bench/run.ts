/**
 * `npm run bench`: CPU time per request of each row's server, in interleaved rounds, so that what the machine does meanwhile
 * falls on all rows alike. `--rounds 9 --requests 8000 --only node-proxy,node-host --check`
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Load } from "./load.ts";
import { median, quartiles } from "./median.ts";
import { answering, cpuSeconds, freePort, isPinned, startNode, stopAll } from "./process.ts";
import { PATH, ROWS, type Row } from "./rows.ts";

const CONNECTIONS = 32;
/** Next falls in cost over the first thousands of requests: before that it is not what it will be. */
const WARM_UP_ROUNDS = 2;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    requests: { type: "string", default: "8000" },
    only: { type: "string" },
    check: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const requests = Number(values.requests);

interface Running {
  readonly row: Row;
  readonly server: ChildProcess;
  readonly port: number;
  /** Microseconds of CPU per request, one for each round. */
  readonly samples: number[];
}

async function measureRows(rows: readonly Row[], folder: string): Promise<boolean> {
  const backendPort = await freePort();
  const backend = startNode({ args: [join(import.meta.dirname, "backend.ts")], env: { PORT: String(backendPort) } }, "others");
  const load = startNode({ args: [join(import.meta.dirname, "load.ts")], talks: true }, "others");
  const backendUrl = `http://127.0.0.1:${backendPort}`;
  await answering(backend, backendUrl);

  const running: Running[] = [];
  for (const row of rows) {
    const port = await freePort();
    const server = startNode(row.launch({ backend: backendUrl, port, folder }), "server");
    await answering(server, `http://127.0.0.1:${port}${row.path ?? PATH}`, (await row.tokens?.(1))?.[0]);
    running.push({ row, server, port, samples: [] });
  }
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const each of running) {
      const microseconds = await measure(each, load, round < 0 ? 1 : (each.row.share ?? 1));
      if (round >= 0) each.samples.push(microseconds);
    }
    progress(round);
  }
  return report(running);
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

async function measure({ row, server, port }: Running, load: ChildProcess, share: number): Promise<number> {
  const count = Math.round(requests * share);
  const answered = once(load, "message");
  const tokens = await row.tokens?.(count);
  const before = cpuSeconds(server);
  load.send({
    port,
    path: row.path ?? PATH,
    requests: count,
    connections: CONNECTIONS,
    ...(tokens ? { tokens } : {}),
  } satisfies Load);
  const [{ ok, error }] = await answered;
  if (!ok) throw new Error(`${row.name}: ${error}`);
  return ((cpuSeconds(server) - before) / count) * 1e6;
}

function progress(round: number): void {
  if (!process.stderr.isTTY) return;
  const text = round < 0 ? "warming up" : `round ${round + 1} of ${rounds}`;
  process.stderr.write(round === rounds - 1 ? "\r\x1b[K" : `\r\x1b[K${text}`);
}

/** Prints the table and tells whether every target is met. */
function report(running: readonly Running[]): boolean {
  let met = true;
  const lines = running.map(({ row, samples }) => {
    const reference = running.find((other) => other.row.name === row.reference);
    // Round by round: both sides of one ratio were measured within the same seconds.
    const ratios = reference?.samples.map((sample, round) => samples[round]! / sample) ?? [];
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
    `\n${machine()}\n${rounds} rounds of ${requests} requests over ${CONNECTIONS} connections, ${isPinned ? "pinned" : "not pinned"}\n`,
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
