/** `node bench/pick.ts`: what choosing one of 100 targets costs, for each way to balance, and by places. Exits 1 where one takes 2 µs or more. */
import { createBackend } from "../lib/backends/backend.ts";
import { createTargetStates } from "../lib/backends/target-state.ts";
import type { Balance } from "../lib/contract/compiled/backend.ts";
import type { Exchange } from "../lib/contract/exchange.ts";
import type { Geo } from "../lib/http/geo.ts";
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
  { by: "nearest" },
];

/** Of three targets one is for Europe, one for Germany and California, and one for everyone else. */
const REGIONS = [
  { continents: ["EU"], countries: [], subdivisions: [], unions: [] },
  { continents: [], countries: ["DE"], subdivisions: ["US-CA"], unions: [] },
  undefined,
];

function backendOf(balance: Balance, isPlaced: boolean) {
  const targets = Array.from({ length: TARGETS }, (_, index) => ({
    url: `https://service-${index}.example.com`,
    // Weights that differ are the dearer case.
    weight: 1 + (index % 3),
    priority: 0,
    at: { lat: index - 50, lon: index },
    ...(isPlaced && REGIONS[index % 3] ? { where: REGIONS[index % 3]! } : {}),
  }));
  const timeouts = { connectMs: 2000 };
  return createBackend(
    {
      name: "b",
      targets,
      balance,
      slowStartMs: 5000,
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

const PLACES: readonly (Geo | undefined)[] = [
  { country: "DE", continent: "EU", latitude: 52.5, longitude: 13.4 },
  { country: "US", subdivision: "CA", latitude: 37.8, longitude: -122.4 },
  { country: "JP", continent: "AS", latitude: 35.7, longitude: 139.7 },
  undefined,
];

const exchanges = Array.from({ length: 1000 }, (_, index) => {
  const headers = new HeaderList(["host", "api.example.com", "cookie", `theme=dark; session=${index}abcdefgh`]);
  const client = { ip: `203.0.113.${index % 256}`, geo: PLACES[index % PLACES.length] };
  return { request: { headers, client }, pool: undefined, carry: {} } as unknown as Exchange;
});

console.log(`\nChoosing one of ${TARGETS} targets, ns of CPU time`);
const ways = BALANCES.flatMap((balance) => [0, 1].map((out) => ({ balance, out, isPlaced: false })));
for (const { balance, out, isPlaced } of [...ways, { balance: BALANCES[0]!, out: 1, isPlaced: true }]) {
  const backend = backendOf(balance, isPlaced);
  const where = backend.poolSteps.find(([name]) => name === "where")?.[1];
  // A single one that is out: then each of the others has to be looked at.
  for (const { state } of backend.targets.slice(0, out)) state.downBecause = "the check failed";
  const samples: number[] = [];
  for (let round = -3; round < ROUNDS; round += 1) {
    const started = process.cpuUsage();
    for (let i = 0; i < PICKS; i += 1) {
      const exchange = exchanges[i % exchanges.length]!;
      if (where) where.decide!(exchange);
      if (!backend.pick(exchange)) throw new Error("no target was chosen");
    }
    const { user, system } = process.cpuUsage(started);
    if (round >= 0) samples.push(((user + system) * 1000) / PICKS);
  }
  const ns = median(samples);
  if (ns >= AT_MOST_NS) process.exitCode = 1;
  const name = `${balance.by === "hash" ? `hash:${balance.of}` : balance.by}${isPlaced ? " by where" : ""}${out === 0 ? "" : ", one out"}`;
  console.log(`${name.padEnd(26)} ${ns.toFixed(0).padStart(12)}  < ${AT_MOST_NS}: ${ns >= AT_MOST_NS ? "MISSED" : "met"}`);
}
