/** `node bench/pick.ts`: what choosing one of 100 targets costs, for each way to balance. Exits 1 where one takes 2 µs or more. */
import { createBackend } from "../lib/backends/backend.ts";
import { createTargetStates } from "../lib/backends/target-state.ts";
import type { Balance } from "../lib/config/compiled-backend.ts";
import type { Exchange } from "../lib/exchange.ts";
import { HeaderList } from "../lib/http/header-list.ts";
import { median } from "./median.ts";

const TARGETS = 100;
const AT_MOST_NS = 2000;
const ROUNDS = 21;
const PICKS = 20_000;

const BALANCES: readonly Balance[] = [
  { by: "round-robin" },
  { by: "least-inflight" },
  { by: "p2c" },
  { by: "hash", of: "ip" },
  { by: "hash", of: "cookie", name: "session" },
];

function backendOf(balance: Balance) {
  const targets = Array.from({ length: TARGETS }, (_, index) => ({
    url: `https://service-${index}.example.com`,
    // Weights that differ are the dearer case.
    weight: 1 + (index % 3),
    priority: 0,
  }));
  const timeouts = { connectMs: 2000, firstByteMs: null, idleMs: null, totalMs: null };
  return createBackend(
    {
      name: "b",
      targets,
      canary: null,
      balance,
      slowStartMs: 5000,
      resilience: null,
      forwardCredential: false,
      preserveHost: false,
      timeouts,
      headers: [],
    },
    createTargetStates(),
    {
      clock: { now: Date.now, monotonic: () => performance.now() },
      random: (bytes) => new Uint8Array(bytes).fill(7),
    },
  );
}

const exchanges = Array.from({ length: 1000 }, (_, index) => {
  const headers = new HeaderList(["host", "api.example.com", "cookie", `theme=dark; session=${index}abcdefgh`]);
  const client = { ip: `203.0.113.${index % 256}`, geo: undefined };
  return { request: { headers, client }, pool: undefined, carry: {} } as unknown as Exchange;
});

console.log(`\nChoosing one of ${TARGETS} targets, ns of CPU time`);
for (const { balance, out } of BALANCES.flatMap((balance) => [0, 1].map((out) => ({ balance, out })))) {
  const backend = backendOf(balance);
  // A single one that is out: then each of the others has to be looked at.
  for (const { state } of backend.targets.slice(0, out)) state.downBecause = "the check failed";
  const samples: number[] = [];
  for (let round = -3; round < ROUNDS; round += 1) {
    const started = process.cpuUsage();
    for (let i = 0; i < PICKS; i += 1) {
      if (!backend.pick(exchanges[i % exchanges.length]!)) throw new Error("no target was chosen");
    }
    const { user, system } = process.cpuUsage(started);
    if (round >= 0) samples.push(((user + system) * 1000) / PICKS);
  }
  const ns = median(samples);
  if (ns >= AT_MOST_NS) process.exitCode = 1;
  const name = `${balance.by === "hash" ? `hash:${balance.of}` : balance.by}${out === 0 ? "" : ", one out"}`;
  console.log(`${name.padEnd(26)} ${ns.toFixed(0).padStart(12)}  < ${AT_MOST_NS}: ${ns >= AT_MOST_NS ? "MISSED" : "met"}`);
}
