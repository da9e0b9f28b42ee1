/** Active checks against real backends. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type HealthChecks, startHealthChecks } from "#lib/backends/health/health-checks.ts";
import { createPools, type Pools } from "#lib/backends/pools.ts";
import { type Backend, startBackend } from "../../support/backend.ts";
import { until } from "../../support/until.ts";
import { asking, backendOf, sharesOf, type TestBackend } from "../backend-of.ts";

let one: Backend;
let two: Backend;
let checks: HealthChecks | undefined;
let pools: Pools;
const logged: string[] = [];
const log = { info: (text: string) => logged.push(text), warn: (text: string) => logged.push(text), error: () => {} };

beforeEach(async () => {
  [one, two] = await Promise.all([startBackend(), startBackend()]);
  pools = createPools();
  logged.length = 0;
});
afterEach(async () => {
  checks?.stop();
  for (const each of [one, two]) each.close();
  await pools.close();
});

function check(settings: object): TestBackend {
  const checked = backendOf({ targets: [one.url, `${two.url}/base`], slowStart: false, ...settings });
  const clock = { now: () => checked.nowMs, monotonic: () => checked.nowMs };
  checks = startHealthChecks([checked.backend], { pools, clock, log });
  return checked;
}

const serving = (checked: TestBackend) => Object.keys(sharesOf(checked, 10, () => asking()));

test("a target that fails twice gets nothing, and comes back with its first good answer", async () => {
  const checked = check({ health: { path: "/up", interval: "20ms" }, headers: { authorization: "let me in" } });
  let isWell = true;
  one.on("/up", (_, response) => response.writeHead(isWell ? 204 : 500).end());
  await until(() => one.requests.length > 1 && two.requests.length > 1, "checks");
  expect(serving(checked)).toHaveLength(2);
  expect(two.requests[0]).toMatchObject({ method: "GET", target: "/base/up" });
  expect(two.requests[0]!.headers.get("authorization")).toBe("let me in");
  isWell = false;
  await until(() => serving(checked).length === 1, "the target to be taken out");
  expect(checked.backend.targets[0]!.state.downBecause).toBe("the check was answered 500");
  isWell = true;
  await until(() => serving(checked).length === 2, "the target to be back");
  expect(logged).toEqual(["a target fails its checks", "a target passes its checks again"]);
});

test.each<[string, object, Parameters<Backend["on"]>[1], string]>([
  ["no answer", { timeout: "50ms" }, () => {}, "the check was not answered in time"],
  [
    "an answer that never ends",
    { timeout: "50ms" },
    (_, response) => response.writeHead(200).write("a"),
    "the check was not answered in time",
  ],
  ["a broken connection", {}, (_, response) => response.socket!.destroy(), "the check failed: UND_ERR_SOCKET"],
  [
    "a status that does not count as well",
    { status: "200" },
    (_, response) => response.writeHead(204).end(),
    "the check was answered 204",
  ],
])("%s", async (_, settings, handler, reason) => {
  one.on("/up", handler);
  const checked = check({ health: { path: "/up", interval: "20ms", ...settings } });
  await until(() => checked.backend.targets[0]!.state.downBecause === reason, reason);
});

test("where all of them fail, requests go on as if none did: the checks may be wrong", async () => {
  one.on("/up", (_, response) => response.writeHead(404).end());
  two.on("/base/up", (_, response) => response.writeHead(404).end());
  const checked = check({ health: { path: "/up", interval: "20ms" } });
  await until(() => checked.backend.targets.every(({ state }) => state.downBecause !== undefined), "both to be taken out");
  expect(serving(checked)).toHaveLength(2);
});

test("stopped, they ask no more, and what is under way is given up", async () => {
  one.on("/up", () => {});
  check({ health: { path: "/up", interval: "20ms", timeout: "20s" } });
  const { hungUp: _, ...request } = await one.last();
  expect(request.target).toBe("/up");
  checks!.stop();
  await until(() => one.requests[0]!.hungUp, "the check to be given up");
});
