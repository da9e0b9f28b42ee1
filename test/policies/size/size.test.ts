import { describe, expect, test } from "vitest";
import { gatewayOf } from "../gateway.ts";

const { send } = gatewayOf({
  routes: [
    { path: "/url", size: { url: "20b" } },
    { path: "/headers", size: { headers: "100b" } },
    { path: "/query", size: { queryKeys: "${env.KEYS:-2}" } },
    { path: "/no-query", size: { queryKeys: 0 } },
    { path: "/trial", size: { url: "1b", mode: "shadow" } },
  ],
});

describe("size", () => {
  test.each([
    [`/url?${"x".repeat(15)}`, 200],
    [`/url?${"x".repeat(16)}`, 414],
    ["/query", 200],
    ["/query?", 200],
    ["/query?a=1&b=2", 200],
    ["/query?a=1&b=2&c", 400],
    ["/query?a&&b", 400],
    ["/no-query", 200],
    ["/no-query?a", 400],
    ["/trial", 200],
  ])("%s is %i", async (target, status) => expect((await send({ target })).status).toBe(status));

  test("all fields together, as on the wire", async () => {
    // `host: gateway.example` and its line's end are 23 bytes, `x-a: …` is 7 and the value.
    const within = await send({ target: "/headers", headers: { "x-a": "y".repeat(70) } });
    const beyond = await send({ target: "/headers", headers: { "x-a": "y".repeat(71) } });
    expect([within.status, beyond.status]).toEqual([200, 431]);
    expect(JSON.parse(beyond.text)).toMatchObject({
      code: "headers-too-large",
      detail: "The header fields may have at most 100 bytes.",
    });
  });
});
