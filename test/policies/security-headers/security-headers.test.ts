import { describe, expect, test } from "vitest";
import { gatewayOf } from "../gateway.ts";

const PRESET = {
  "content-security-policy": "base-uri 'self'; frame-ancestors 'self'; object-src 'none'",
  "cross-origin-opener-policy": "same-origin-allow-popups",
  "cross-origin-resource-policy": "same-site",
  "origin-agent-cluster": "?1",
  "referrer-policy": "strict-origin-when-cross-origin",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "x-frame-options": "SAMEORIGIN",
};
const own = { respond: { headers: { "X-Frame-Options": "DENY" }, body: "x" } };
const { send } = gatewayOf({
  defaults: { securityHeaders: true },
  routes: [
    { path: "/" },
    { path: "/own", ...own },
    { path: "/override", ...own, securityHeaders: { override: true } },
    { path: "/other", securityHeaders: { xFrameOptions: false, referrerPolicy: "no-referrer", permissionsPolicy: "camera=()" } },
    { path: "/last", headers: { response: { set: { "x-frame-options": "DENY" }, remove: "referrer-policy" } } },
    { path: "/off", securityHeaders: false },
  ],
});

describe("securityHeaders", () => {
  test.each(["/", "/nowhere"])("the preset on %s", async (target) => {
    const { headers } = await send({ target, scheme: "https" });
    expect(Object.fromEntries(headers)).toMatchObject(PRESET);
  });

  test("never HSTS over plain HTTP", async () => {
    const { headers } = await send();
    expect(headers.has("strict-transport-security")).toBe(false);
    expect(headers.has("x-content-type-options")).toBe(true);
  });

  test("what the answer says itself stays, unless asked for", async () => {
    expect((await send({ target: "/own" })).headers.all("x-frame-options")).toEqual(["DENY"]);
    expect((await send({ target: "/override" })).headers.all("x-frame-options")).toEqual(["SAMEORIGIN"]);
  });

  test("key by key", async () => {
    const { headers } = await send({ target: "/other" });
    expect(headers.has("x-frame-options")).toBe(false);
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("permissions-policy")).toBe("camera=()");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("`headers` has the last word, and `false` switches it off", async () => {
    const last = (await send({ target: "/last" })).headers;
    expect([last.all("x-frame-options"), last.has("referrer-policy")]).toEqual([["DENY"], false]);
    expect((await send({ target: "/off" })).headers.has("x-content-type-options")).toBe(false);
  });
});
