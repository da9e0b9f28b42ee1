import { expect, test } from "vitest";
import { gatewayOf } from "../gateway.ts";

const { send } = gatewayOf(
  {
    routes: [
      { path: "/abort", fault: { abort: 503 } },
      { path: "/delay", fault: { delay: "1ms" } },
      { path: "/both", fault: { delay: "1ms", abort: "${env.STATUS}" } },
      { path: "/never", fault: { abort: 500, percent: "0%" } },
      { path: "/shadow", mode: "shadow", fault: { abort: 500 } },
      { path: "/shadow-delay", mode: "shadow", fault: { delay: "1h" } },
      { path: "/first", fault: { abort: 500 }, ip: { deny: "192.0.2.0/24" } },
    ],
  },
  { variables: { STATUS: "500" } },
);

test.each([
  ["/abort", 503, "", ["fault: answered"]],
  ["/delay", 200, "served", ["fault: passed", "respond: answered"]],
  ["/both", 500, "", ["fault: answered"]],
  ["/never", 200, "served", ["fault: passed", "respond: answered"]],
  ["/shadow", 200, "served", ["fault: would-answer", "respond: answered"]],
  ["/shadow-delay", 200, "served", ["fault: passed", "respond: answered"]],
])("%s", async (target, status, text, steps) => {
  const answer = await send({ target });
  expect([answer.status, answer.text, answer.steps]).toEqual([status, text, steps]);
  expect(answer.headers.has("x-gateway-error")).toBe(false);
});

test("a refusal comes before it", async () => {
  expect((await send({ target: "/first", ip: "192.0.2.1" })).status).toBe(403);
});
