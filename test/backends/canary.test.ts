/** Who goes to a canary: shares over 100,000 callers, stickiness, and what happens when it fails. */
import { describe, expect, test } from "vitest";
import type { RequestContext } from "#lib/engine/request-context.ts";
import { asking, backendOf, type TestBackend } from "./backend-of.ts";

const MANY = 100_000;
const others = { targets: ["http://a", "http://b"] };
const withCanary = (canary: object) => backendOf({ ...others, canary: { url: "http://next", ...canary } });

/** Where the request goes, once the steps of the backend have seen it. */
function goesTo({ backend }: TestBackend, exchange: RequestContext): string {
  for (const [, policy] of backend.poolSteps) policy.decide!(exchange);
  return backend.pick(exchange)!.host;
}

const caller = (turn: number) => asking({ ip: `10.${turn >> 16}.${(turn >> 8) & 255}.${turn & 255}` });
const member = (turn: number) => asking({ ip: "10.0.0.1", consumer: { id: `web:${turn}`, authenticator: "web" } });

describe("the share", () => {
  test.each<[string, object, (turn: number) => RequestContext]>([
    ["by address", {}, caller],
    ["by consumer, also at one address", {}, member],
    ["of consumers alone", { sticky: "consumer" }, member],
    ["by cookie", { sticky: "cookie" }, (turn) => asking({ headers: ["cookie", `canary-b=value-${turn}`] })],
    ["by lot", { sticky: false }, () => asking({ ip: "10.0.0.1" })],
  ])("of 100,000 %s is as stated", (_, settings, exchange) => {
    const test = withCanary({ percent: "2.5%", ...settings });
    let count = 0;
    for (let turn = 0; turn < MANY; turn++) if (goesTo(test, exchange(turn)) === "next") count++;
    // Six standard deviations.
    expect(Math.abs(count - 0.025 * MANY), `${count}`).toBeLessThanOrEqual(6 * Math.sqrt(MANY * 0.025 * 0.975));
  });

  test("who was among 5% is among 10%, and the same on every instance", () => {
    const [five, ten, again] = [5, 10, 5].map((percent) => withCanary({ percent }));
    for (let turn = 0; turn < 5000; turn++) {
      const isThere = goesTo(five!, caller(turn)) === "next";
      expect(goesTo(again!, caller(turn)) === "next").toBe(isThere);
      if (isThere) expect(goesTo(ten!, caller(turn))).toBe("next");
    }
  });

  test("0 is nobody, 100 is everybody: blue to green", () => {
    for (const [percent, host] of [
      [0, "a"],
      [100, "next"],
    ] as const) {
      const test = backendOf({ url: "http://a", canary: { url: "http://next", percent } });
      for (let turn = 0; turn < 1000; turn++) expect(goesTo(test, caller(turn))).toBe(host);
    }
  });
});

test("who is nobody does not go to a canary for consumers", () => {
  const test = withCanary({ percent: 100, sticky: "consumer" });
  expect(goesTo(test, caller(1))).not.toBe("next");
});

test("whoever asks for it goes there, with all that `when` names", () => {
  const test = withCanary({ when: { headers: { "X-Tester": true }, cookies: { beta: "1" } } });
  const to = (...headers: string[]) => goesTo(test, asking({ ip: "10.0.0.1", headers }));
  expect(to("x-tester", "me", "cookie", "beta=1")).toBe("next");
  expect(to("x-tester", "me", "cookie", "beta=2")).not.toBe("next");
  expect(to("cookie", "beta=1")).not.toBe("next");
});

test("where it fails, is out or was asked, the others take over; without being chosen nobody gets there", () => {
  const test = withCanary({ percent: 100 });
  const exchange = caller(1);
  expect(goesTo(test, exchange)).toBe("next");
  const canary = test.backend.targets[2]!;
  expect(test.backend.pick(exchange, [canary])!.host).toMatch(/^[ab]$/);
  for (let i = 0; i < 5; i++) test.backend.end(canary, "failure", test.backend.begin(canary), undefined);
  expect(goesTo(test, caller(1))).toMatch(/^[ab]$/);
  const [a, b] = test.backend.targets;
  const unchosen = asking();
  expect(test.backend.pick(unchosen, [a!, b!])!.host).toMatch(/^[ab]$/);
});
