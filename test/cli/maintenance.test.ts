import { describe, expect, test } from "vitest";
import { checkout } from "./checkout.ts";

const SHOP = `
defaults: { auth: none }
routes:
  - { path: /a, maintenance: {}, respond: { body: a } }
  - { path: /b, respond: { body: b } }
`;

describe("frontdesk maintenance", () => {
  test("a switch that was never turned is off; on and off hold from one process to the next", async () => {
    const { frontdesk } = checkout({ "shop.yaml": SHOP }, { GATEWAY_CONFIG_FILE: "shop.yaml" });
    expect(await frontdesk("maintenance")).toEqual({
      code: 0,
      err: "(SQLite in .frontdesk/frontdesk.db, short counts in memory)\n",
      out: "maintenance is off, for 1 of 2 routes\n",
    });
    const on = await frontdesk("maintenance", "on");
    expect(on.out).toMatch(/^maintenance is on since \d{4}-\d\d-\d\dT[\d:.]+Z, for 1 of 2 routes\n$/);
    expect((await frontdesk("maintenance", "status")).out).toBe(on.out);
    expect((await frontdesk("maintenance", "off")).out).toMatch(/^maintenance is off since /);
    expect(JSON.parse((await frontdesk("maintenance", "status", "--json")).out)).toMatchObject({ on: false, routes: 1 });
  });

  test("a config in which it changes nothing is told so", async () => {
    const { frontdesk } = checkout({ "shop.yaml": SHOP.replace("maintenance: {}, ", "") }, { GATEWAY_CONFIG_FILE: "shop.yaml" });
    const { code, out } = await frontdesk("maintenance", "on");
    expect(code).toBe(0);
    expect(out).toContain("no route of this config has `maintenance`");
  });

  test("another word is a fault of the call", async () => {
    const { frontdesk } = checkout({ "shop.yaml": SHOP }, { GATEWAY_CONFIG_FILE: "shop.yaml" });
    const { code, err } = await frontdesk("maintenance", "onn");
    expect(code).toBe(2);
    expect(err).toContain('it takes on, off or status, not "onn"');
  });

  test("a store that does not answer is told, and nothing is claimed", async () => {
    const { frontdesk } = checkout(
      { "shop.yaml": SHOP },
      { GATEWAY_CONFIG_FILE: "shop.yaml", UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1", UPSTASH_REDIS_REST_TOKEN: "t" },
    );
    const { code, err, out } = await frontdesk("maintenance", "on", "--env", "production");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain("A store that this request depends on is away");
    expect(err).toContain("names begin with fd:frontdesk:production:");
  });

  test("which of the environments in Redis is meant must be said", async () => {
    const REDIS = { UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1", UPSTASH_REDIS_REST_TOKEN: "t" };
    const files = { "shop.yaml": SHOP, ".vercel/project.json": '{"projectId":"prj_1","orgId":"o"}' };
    const shop = (more = {}) => checkout(files, { GATEWAY_CONFIG_FILE: "shop.yaml", ...REDIS, ...more });
    const asked = await shop().call("maintenance", "on");
    expect(asked.code).toBe(2);
    expect(asked.err).toContain("--env production (names begin with fd:prj_1:production:)");
    // Said by the environment itself.
    expect((await shop({ VERCEL_ENV: "preview" }).call("maintenance")).err).toContain("names begin with fd:prj_1:preview:");
    const named = shop({ GATEWAY_STORE_PREFIX: "own:" });
    expect((await named.call("maintenance")).err).toContain("names begin with own:");
    expect(await named.call("maintenance", "--env", "production")).toMatchObject({
      code: 2,
      err: expect.stringContaining("GATEWAY_STORE_PREFIX says which names are meant"),
    });
  });

  test("--env without Redis is a fault of the call", async () => {
    const { call } = checkout({ "shop.yaml": SHOP }, { GATEWAY_CONFIG_FILE: "shop.yaml" });
    expect(await call("maintenance", "on", "--env", "production")).toMatchObject({
      code: 2,
      err: expect.stringContaining("there is no Redis here"),
    });
  });
});
