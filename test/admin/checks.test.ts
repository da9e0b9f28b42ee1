/** GET /gateway/health/checks: who may ask for a run of the checks, how, and what the answer says. */
import { expect, test } from "vitest";
import { createCronAdmit } from "#lib/admin/admit.ts";
import { createEndpoints, type EndpointOptions } from "#lib/admin/endpoints.ts";
import type { ScheduledHealthChecks } from "#lib/backends/health/scheduled-health-checks.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { exchangeFor } from "../support/exchange.ts";

const TOKEN = "0123456789abcdef-the-operator";
const CRON_SECRET = "0123456789abcdef-a-scheduler";
const TARGETS = [
  { backend: "b", url: "http://one.example", state: "down", reason: "the check was answered 500" },
  { backend: "b", url: "http://two.example", state: "up", reason: undefined },
] as const;
let runs: number;

function askFor({
  method = "GET",
  target = "/gateway/health/checks",
  headers = ["authorization", `Bearer ${CRON_SECRET}`],
  notShared = undefined as string | undefined,
  checksItself = false,
}) {
  runs = 0;
  const admit = createCronAdmit(
    { token: TOKEN, cronSecret: CRON_SECRET, openOnLoopback: false },
    { counters: createMemoryStores().local, log: { info() {}, warn() {}, error() {} }, now: () => 0 },
  );
  const checks = {
    run: async () => {
      runs++;
      return { startedMs: 1_800_000_000_000, targets: TARGETS, notShared };
    },
  } as unknown as ScheduledHealthChecks;
  const endpoints = createEndpoints({
    admit: () => undefined,
    overview: () => ({}),
    checks: { admit, checks: () => (checksItself ? undefined : checks) },
  } as unknown as EndpointOptions);
  return endpoints.answer(exchangeFor({ method, target, headers }));
}

test("says what was checked, what is down and why", async () => {
  const answer = await askFor({});
  if ("code" in answer) throw new Error(answer.code);
  expect([answer.status, answer.headers.get("cache-control"), runs]).toEqual([200, "no-store", 1]);
  expect(JSON.parse(answer.body as string)).toEqual({
    startedAt: "2027-01-15T08:00:00.000Z",
    shared: true,
    targets: [TARGETS[0], { backend: "b", url: "http://two.example", state: "up" }],
  });
});

test("says why other instances do not hear of it", async () => {
  const answer = (await askFor({ notShared: "there is no Redis" })) as { body: string };
  expect(JSON.parse(answer.body)).toMatchObject({ shared: false, notShared: "there is no Redis" });
});

test.each([
  ["HEAD", { method: "HEAD" }, undefined],
  ["the admin token", { headers: ["authorization", `Bearer ${TOKEN}`] }, undefined],
  ["POST", { method: "POST" }, "method-not-allowed"],
  ["POST without a token", { method: "POST", headers: [] }, "credentials-missing"],
  ["no token", { headers: [] }, "credentials-missing"],
  ["the secret in the query", { target: `/gateway/health/checks?secret=${CRON_SECRET}`, headers: [] }, "credentials-missing"],
  ["the secret in another field", { headers: ["x-api-key", CRON_SECRET] }, "credentials-missing"],
  ["no more than the scheme", { headers: ["authorization", "Bearer "] }, "credentials-invalid"],
  ["a part of the secret", { headers: ["authorization", `Bearer ${CRON_SECRET.slice(0, -1)}`] }, "credentials-invalid"],
  ["a path below", { target: "/gateway/health/checks/all" }, "route-not-found"],
  ["a host that checks by itself", { checksItself: true }, "route-not-found"],
])("%s", async (_, request, code) => {
  const answer = await askFor(request);
  expect("code" in answer ? answer.code : undefined).toBe(code);
  expect(runs).toBe(code === undefined ? 1 : 0);
});

test("a browser that another site sends, with a password that it remembers, starts nothing", async () => {
  const basic = ["authorization", `Basic ${Buffer.from(`me:${TOKEN}`).toString("base64")}`];
  expect(await askFor({ headers: [...basic, "sec-fetch-site", "cross-site"] })).toMatchObject({ code: "csrf-denied" });
  expect(runs).toBe(0);
  expect(await askFor({ headers: [...basic, "sec-fetch-site", "none"] })).toMatchObject({ status: 200 });
});
