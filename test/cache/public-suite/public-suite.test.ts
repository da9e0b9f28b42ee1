/**
 * The public suite for HTTP caches against the Node host, as it comes from npm: its backend, its client, its judgement. Between
 * them stands one route with `cache` for everything, and `cdn`, so that the backend's Cache-Control passes as the suite expects.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type HostProcess, startNodeHost } from "../../support/host-process.ts";
import { KNOWN_FAILURES } from "./known-failures.ts";
import { type Outcome, runSuite, type SuiteCase, startSuiteBackend, suiteCases } from "./suite.ts";

const cases = await suiteCases();
const required = cases.filter(({ kind = "required" }) => kind === "required");
const optimal = cases.filter(({ kind }) => kind === "optimal");
let results: Readonly<Record<string, Outcome>> = {};
let host: HostProcess;
let backend: Awaited<ReturnType<typeof startSuiteBackend>>;

beforeAll(async () => {
  // Its backend logs each request that it did not expect.
  vi.spyOn(console, "log").mockImplementation(() => {});
  backend = await startSuiteBackend();
  host = await startNodeHost({ config: join(import.meta.dirname, "gateway.config.json"), env: { BACKEND_URL: backend.url } });
  results = await runSuite(`http://127.0.0.1:${host.port}`);
}, 300_000);
afterAll(async () => {
  await host?.stop();
  backend?.close();
});

/** As the suite counts: a case also needs those that it depends on. */
function passes({ id, depends_on = [] }: SuiteCase): boolean {
  return results[id] === true && depends_on.every((other) => passes(cases.find((each) => each.id === other)!));
}

const passed = (some: readonly SuiteCase[]) => some.filter(passes).length;

test("all of its cases have run", () => {
  expect([required.length, optimal.length]).toEqual([165, 95]);
  expect(cases.filter(({ id }) => results[id] === undefined)).toEqual([]);
});

test("at least 133 of the required and 71 of the optimal ones are passed", () => {
  expect(passed(required)).toBeGreaterThanOrEqual(133);
  expect(passed(optimal)).toBeGreaterThanOrEqual(71);
});

test("what fails is what known-failures.ts says, each with its reason", () => {
  const failed = [...required, ...optimal].filter((each) => !passes(each)).map(({ id }) => id);
  expect(Object.fromEntries(failed.sort().map((id) => [id, results[id]]))).toEqual(
    Object.fromEntries(
      Object.keys(KNOWN_FAILURES)
        .sort()
        .map((id) => [id, results[id]]),
    ),
  );
});
