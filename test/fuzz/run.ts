/**
 * `npm run fuzz -- --minutes 5 [--seed N] [--host node|vercel|both] [--replay FILE]`: odd clients and odd backends, drawn from a seed.
 * It ends with `N cases, 0 findings`, or with what was found, a file to replay it from, and exit code 1.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureTestBuild } from "../../scripts/test-build.ts";
import { HOST_NAMES, type HostName } from "../support/host-process.ts";
import type { FuzzCase } from "./fuzz-case.ts";
import { Fuzzing } from "./fuzzing.ts";

interface Replay {
  readonly host: HostName;
  readonly cases: readonly FuzzCase[];
}

/** Of the time when both hosts are fuzzed: most of the code that only one of them has is the Node host's. */
const SHARES: Record<HostName, number> = { node: 0.7, vercel: 0.3 };

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string" },
    host: { type: "string", default: "both" },
    replay: { type: "string" },
  },
});
// Whatever was started ends with this process (test/support/host-process.ts).
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

const findings = values.replay === undefined ? await explore() : await replay(values.replay);
process.exit(findings === 0 ? 0 : 1);

async function explore(): Promise<number> {
  const seed = values.seed === undefined ? Date.now() % 1_000_000_007 : Number(values.seed);
  const minutes = Number(values.minutes);
  const hosts = HOST_NAMES.filter((name) => values.host === "both" || values.host === name);
  if (!Number.isSafeInteger(seed) || !(minutes > 0 && minutes <= 600) || hosts.length === 0) {
    console.error("fuzz: --minutes is a number up to 600, --seed a whole number, --host node, vercel or both.");
    process.exit(2);
  }
  if (hosts.includes("vercel")) ensureTestBuild();
  console.log(`seed ${seed}`);
  let [cases, found] = [0, 0];
  for (const name of hosts) {
    const fuzzing = await Fuzzing.start(name);
    const isFound = await fuzzing.explore(seed, minutes * 60_000 * (hosts.length > 1 ? SHARES[name] : 1));
    cases += fuzzing.played;
    if (!isFound) continue;
    found += fuzzing.findings.length;
    report(fuzzing, seed, name);
    break;
  }
  console.log(`${cases} cases, ${found} findings`);
  return found;
}

async function replay(file: string): Promise<number> {
  const { host, cases } = JSON.parse(readFileSync(file, "utf8")) as Replay;
  if (host === "vercel") ensureTestBuild();
  const fuzzing = await Fuzzing.start(host);
  await fuzzing.replay(cases);
  for (const { what } of fuzzing.findings) console.log(what);
  console.log(`${fuzzing.played} cases, ${fuzzing.findings.length} findings`);
  return fuzzing.findings.length;
}

function report({ findings, lastLogLines }: Fuzzing, seed: number, host: HostName): void {
  findings.slice(0, 10).forEach(({ what, cases }, n) => {
    const file = join(tmpdir(), `frontdesk-fuzz-${seed}-${host}-${n}.json`);
    writeFileSync(file, JSON.stringify({ host, cases } satisfies Replay, null, 1));
    console.log(`\n${host}: ${what}`);
    if (cases.length === 1) console.log(JSON.stringify(cases[0]).slice(0, 4000));
    console.log(`replay: npm run fuzz -- --replay ${file}`);
  });
  console.log(`\nthe gateway's last lines:\n${lastLogLines}\n`);
}
