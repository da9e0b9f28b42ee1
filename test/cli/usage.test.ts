import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN_TOKEN, type HostProcess, startHost, temporaryFolder } from "../support/host-process.ts";
import { checkout } from "./checkout.ts";

let host: HostProcess;
let odd: Server;
beforeAll(async () => {
  const config = join(temporaryFolder(), "gateway.yaml");
  writeFileSync(
    config,
    `
tiers: { basic: { limit: 5/d }, pro: { limit: 50/d } }
auth: { people: { basic: { users: { ada: "\${env.ADA_PASSWORD}" } } } }
routes:
  - { path: /a, auth: people, respond: {}, limit: tier }
  - { path: /b, auth: none, respond: {}, limit: { requests: 2, per: 1d, algorithm: fixed-window } }
`,
  );
  host = await startHost("node", { config, env: { ADA_PASSWORD: "ada's own" } });
  odd = createServer((_, response) => response.writeHead(404).end("no"));
  await new Promise<void>((resolve) => odd.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  odd?.close();
  await host?.stop();
});

const call = (...args: string[]) =>
  checkout({}, { GATEWAY_ADMIN_TOKEN: ADMIN_TOKEN, GATEWAY_URL: `http://127.0.0.1:${host.port}` }).frontdesk("usage", ...args);

describe("frontdesk usage", () => {
  test("shows what was used, without taking", async () => {
    const authorization = `Basic ${Buffer.from("ada:ada's own").toString("base64")}`;
    expect((await fetch(`http://127.0.0.1:${host.port}/a`, { headers: { authorization } })).status).toBe(200);
    for (let i = 0; i < 2; i++) {
      const { code, out } = await call("people:ada");
      expect(code).toBe(0);
      expect(out).toMatch(/^people:ada\n +tier +several routes +1 of 5 requests in 86400 s +resets \d{4}-.*Z\n$/);
    }
    expect(JSON.parse((await call("people:ada", "--tier", "pro", "--json")).out)).toMatchObject({ limits: [{ limit: 50 }] });
  });

  test("resets it", async () => {
    const statusOf = async () => (await fetch(`http://127.0.0.1:${host.port}/b`)).status;
    expect([await statusOf(), await statusOf(), await statusOf()]).toEqual([200, 200, 429]);
    expect(await call("--ip", "127.0.0.1", "--reset")).toEqual({ code: 0, err: "", out: "reset: tier, requests-per-1d\n" });
    expect(await statusOf()).toBe(200);
  });

  test("says whose usage it does not know", async () => {
    expect((await call()).err).toContain("say whose usage: a consumer, or --ip.");
    expect(await call("--ip", "here")).toMatchObject({ code: 1, err: expect.stringContaining("expected an IP address") });
  });

  test("says that no authenticator has such consumers", async () => {
    expect(await call("peple:ada")).toMatchObject({ code: 1, err: expect.stringContaining('Did you mean "people"?') });
  });

  test("leaves out routes that take no credential of the consumer's", async () => {
    expect((await call("people:ada", "--ip", "127.0.0.1")).out).toContain("/b");
    expect((await call("people:ada")).out).not.toContain("/b");
  });

  test("says what is wrong with the address", async () => {
    expect((await call("ada", "--url", "http://127.0.0.1:1")).err).toContain("http://127.0.0.1:1 could not be reached");
    expect((await call("ada", "--url", "nowhere")).err).toContain('--url: "nowhere" is no http or https URL');
    const { port } = odd.address() as AddressInfo;
    expect((await call("ada", "--url", `http://127.0.0.1:${port}`)).err).toContain("answered 404.");
  });

  test("says that there is no token", async () => {
    const { frontdesk } = checkout({}, { GATEWAY_URL: `http://127.0.0.1:${host.port}` });
    expect((await frontdesk("usage", "ada")).err).toContain("GATEWAY_ADMIN_TOKEN is not set");
  });
});
