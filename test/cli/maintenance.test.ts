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
    expect(await frontdesk("maintenance")).toEqual({ code: 0, err: "", out: "maintenance is off, for 1 of 2 routes\n" });
    const on = await frontdesk("maintenance", "on");
    expect(on.out).toMatch(/^maintenance is on since \d{4}-\d\d-\d\dT[\d:.]+Z, for 1 of 2 routes\n$/);
    expect((await frontdesk("maintenance", "status")).out).toBe(on.out);
    expect((await frontdesk("maintenance", "off")).out).toMatch(/^maintenance is off since /);
    expect(JSON.parse((await frontdesk("maintenance", "status", "--json")).out)).toMatchObject({ on: false, routes: 1 });
  });

  test("a config in which it changes nothing is told so", async () => {
    const { frontdesk } = checkout({ "shop.yaml": SHOP.replace("maintenance: {}, ", "") }, { GATEWAY_CONFIG_FILE: "shop.yaml" });
    const { code, err } = await frontdesk("maintenance", "on");
    expect(code).toBe(0);
    expect(err).toContain("no route of this config has `maintenance`");
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
    const { code, err, out } = await frontdesk("maintenance", "on");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain("the store did not answer");
  });
});
