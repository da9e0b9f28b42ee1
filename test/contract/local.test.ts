/** What policies keep by request: one policy's is not another's, and a copy of the request has the same. */
import { expect, test } from "vitest";
import { Local } from "#lib/contract/local.ts";
import { exchangeFor } from "../support/exchange.ts";

test("each Local has its own value for each request", () => {
  const [units, other] = [new Local<number>(), new Local<number>()];
  const [first, second] = [exchangeFor({ target: "/" }), exchangeFor({ target: "/" })];
  units.set(first, 3);
  expect([units.get(first), other.get(first), units.get(second)]).toEqual([3, undefined, undefined]);
});

test("a cache's copy of a request writes for the caller, and a refresh in the background for itself", () => {
  const units = new Local<number>();
  const caller = exchangeFor({ target: "/" });
  units.set(caller.forCache(0, 0, false), 5);
  units.set(caller.forCache(0, 0, true), 7);
  expect(units.get(caller)).toBe(5);
});
