/** One request inside the engine: its ids, and what crosses to the other half. */
import { describe, expect, test } from "vitest";
import { exchangeFor } from "../support/exchange.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const visit = (...headers: string[]) => exchangeFor({ target: "/", headers });

describe("request id", () => {
  test.each(["r1", "!~", "a".repeat(128)])("a client's own is kept: %s", (id) => {
    expect(visit("X-Request-Id", id).requestId).toBe(id);
  });

  test.each(["", "a b", "a".repeat(129), "\xfc", "a\tb"])("one that can't be written down is replaced: %j", (id) => {
    expect(visit("X-Request-Id", id).requestId).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe("trace context", () => {
  test("a well-formed trace is continued under a span of our own", () => {
    const { traceparent, requestId } = visit("traceparent", `00-${TRACE}-b7ad6b7169203331-01`);
    expect(traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
    expect(traceparent).not.toContain("b7ad6b7169203331");
    expect(requestId).toBe(TRACE);
  });

  test.each([
    "00-0-0-00",
    `00-${TRACE.toUpperCase()}-b7ad6b7169203331-01`,
    `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `ff-${TRACE}-b7ad6b7169203331-01`,
    `00-${TRACE}-b7ad6b7169203331-01-more`,
    `cc-${TRACE}-b7ad6b7169203331-01.more`,
    "\r\nx: y",
  ])("%j starts a new trace, of which nothing is the caller's", (given) => {
    const { traceparent } = visit("traceparent", given);
    expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(traceparent).not.toContain(TRACE);
  });

  test("ids don't repeat", () => {
    const ids = Array.from({ length: 2_000 }, () => visit().requestId);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("plan", () => {
  test("what one half hands over, the other takes up", () => {
    const front = exchangeFor({ target: "/a/7", path: "/a/:id", consumer: { id: "web:1", authenticator: "web" } });
    front.state["limit"] = { left: 3 };
    front.pool = [[1], [0, 2]];
    front.record.steps.push({ policy: "limit", verdict: "passed", ms: 0.1 });
    const back = exchangeFor({ target: "/a/7", path: "/a/:id" });
    back.resume(JSON.parse(JSON.stringify(front.toPlan())));
    expect(back.toPlan()).toEqual(front.toPlan());
    expect(back.record).toEqual(front.record);
  });

  test("a later change in one half does not reach into the other's", () => {
    const plan = exchangeFor({ target: "/" }).toPlan();
    const back = exchangeFor({ target: "/" });
    back.resume(plan);
    back.state["a"] = 1;
    back.record.steps.push({ policy: "a", verdict: "passed", ms: 0 });
    expect(plan.state).toEqual({});
    expect(plan.steps).toEqual([]);
  });
});
