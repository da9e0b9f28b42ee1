/** The console's first page in a browser: what runs here is what it shows, and nothing is fetched from elsewhere. */
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Backend, startBackend } from "../support/backend.ts";
import { launchBrowser } from "../support/browser.ts";
import { ADMIN_TOKEN, type HostProcess, startHost } from "../support/host-process.ts";
import { sendRaw } from "../support/raw-client.ts";

let backend: Backend;
let host: HostProcess;
let browser: Browser;
beforeAll(async () => {
  backend = await startBackend();
  const config = join(import.meta.dirname, "..", "flows", "routing", "gateway.config.yaml");
  [host, browser] = await Promise.all([startHost("vercel", { config, env: { BACKEND_URL: backend.url } }), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await host?.stop();
  backend?.close();
});

test("it lists routes, backends, stores and the config's digest to the operator", async () => {
  const health = await sendRaw(host.port, { target: "/gateway/health", headers: ["authorization", `Bearer ${ADMIN_TOKEN}`] });
  const { digest } = JSON.parse(health.body.toString()) as { digest: string };
  const page = await browser.newPage({ httpCredentials: { username: "operator", password: ADMIN_TOKEN } });
  const failures: string[] = [];
  const origins = new Set<string>();
  page.on("console", (message) => message.type() === "error" && failures.push(message.text()));
  page.on("pageerror", (error) => failures.push(String(error)));
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
  page.on(
    "response",
    (response) =>
      response.status() >= 400 && response.status() !== 401 && failures.push(`${response.status()} ${response.url()}`),
  );
  const answer = await page.goto(`http://127.0.0.1:${host.port}/gateway`);
  expect(answer?.status()).toBe(200);
  await page.waitForLoadState("networkidle");
  const text = await page.locator("body").textContent();
  for (const shown of ["/users/:id/orders", "*.partners.example", "GET, PUT", "shop", backend.url, digest.slice(0, 12), "Stores"])
    expect(text).toContain(shown);
  expect([...origins]).toEqual([`http://127.0.0.1:${host.port}`]);
  expect(failures).toEqual([]);
});
