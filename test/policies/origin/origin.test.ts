import { describe, expect, test } from "vitest";
import { gatewayOf } from "../gateway.ts";

const { send } = gatewayOf({
  routes: [
    { path: "/", origin: true },
    {
      path: "/partners",
      origin: { allow: ["https://partner.example", "https://*.friends.example"], deny: "https://evil.friends.example" },
    },
    { path: "/browsers", origin: { unknown: "deny" } },
    { path: "/trial", origin: { mode: "shadow" } },
  ],
});
const status = async (target: string, headers: Record<string, string>, method = "POST") =>
  (await send({ target, method, headers })).status;

describe("what a browser says of the request", () => {
  test.each([
    ["same-origin", 200],
    ["none", 200],
    ["same-site", 403],
    ["cross-site", 403],
    ["something-new", 403],
    ["", 403],
  ])("Sec-Fetch-Site: %s is %i", async (site, expected) => expect(await status("/", { "sec-fetch-site": site })).toBe(expected));

  test("it counts before Origin, which a proxy or a referrer policy may have changed", async () => {
    expect(await status("/", { "sec-fetch-site": "same-origin", origin: "null" })).toBe(200);
    expect(await status("/", { "sec-fetch-site": "cross-site", origin: "https://gateway.example" })).toBe(403);
  });
});

describe("older browsers: Origin against Host", () => {
  test.each([
    ["https://gateway.example", 200],
    ["http://gateway.example", 200],
    ["https://GATEWAY.example", 200],
    ["https://gateway.example:8443", 403],
    ["https://gateway.example.evil.com", 403],
    ["https://evil.com", 403],
    ["null", 403],
    ["", 403],
    ["gateway.example", 403],
  ])("%j is %i", async (origin, expected) => expect(await status("/", { origin })).toBe(expected));
});

describe("which requests", () => {
  test.each(["GET", "HEAD", "OPTIONS"])("%s changes nothing, and passes", async (method) =>
    expect(await status("/", { origin: "https://evil.com", "sec-fetch-site": "cross-site" }, method)).toBe(200),
  );
  test.each(["POST", "PUT", "PATCH", "DELETE", "LOCK"])("%s is judged", async (method) =>
    expect(await status("/", { "sec-fetch-site": "cross-site" }, method)).toBe(403),
  );
  test("so is a GET that would become another protocol", async () => {
    expect(await status("/", { origin: "https://evil.com", upgrade: "chat" }, "GET")).toBe(403);
    expect(await status("/", { origin: "https://gateway.example", upgrade: "chat" }, "GET")).toBe(200);
  });
  test("clients that are no browsers say neither", async () => {
    expect(await status("/", {})).toBe(200);
    expect(await status("/browsers", {})).toBe(403);
    expect(await status("/browsers", { "sec-fetch-site": "same-origin" })).toBe(200);
  });
});

describe("other sites", () => {
  test.each([
    ["https://partner.example", 200],
    ["https://a.friends.example", 200],
    ["https://evil.friends.example", 403],
    ["http://partner.example", 403],
    ["https://other.example", 403],
  ])("%s is %i", async (origin, expected) =>
    expect(await status("/partners", { origin, "sec-fetch-site": "cross-site" })).toBe(expected),
  );
});

test("the record has what was sent, the caller hears the code", async () => {
  const { text, record } = await send({ method: "POST", headers: { origin: "https://evil.com" } });
  expect(JSON.parse(text)).toMatchObject({ code: "csrf-denied" });
  expect(record.reason).toBe("Origin: https://evil.com, Sec-Fetch-Site: none");
});

test("shadow mode", async () => {
  const answer = await send({ target: "/trial", method: "POST", headers: { origin: "https://evil.com" } });
  expect(answer).toMatchObject({ status: 200, steps: ["origin: would-refuse", "respond: answered"] });
});
