/** The console on the Vercel shape: its pages need the session there too, and show the config that runs. */
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CONSOLE_PAGES } from "#lib/admin/console-paths.ts";
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

test.each(["", ...CONSOLE_PAGES])("/gateway/%s is not shown without a session", async (page) => {
  const target = `/gateway${page && `/${page}`}`;
  const accept = ["accept", "text/html"];
  expect(await sendRaw(host.port, { target, headers: [] })).toMatchObject({ status: 401 });
  const sent = await sendRaw(host.port, { target, headers: accept });
  expect([sent.status, sent.headers.get("location")]).toEqual([303, `/gateway/sign-in?to=${encodeURIComponent(target)}`]);
  const forged = await sendRaw(host.port, { target, headers: [...accept, "cookie", "frontdesk-session=x"] });
  expect(forged.status).toBe(303);
  // Next's own word for a request that its middleware has seen (CVE-2025-29927).
  const dodged = await sendRaw(host.port, { target, headers: ["x-middleware-subrequest", "middleware:middleware:middleware"] });
  expect(dodged.status).toBe(401);
});

test("with one they list routes, backends, stores and the config's digest, and say what one instance can't know", async () => {
  const health = await sendRaw(host.port, { target: "/gateway/health", headers: ["authorization", `Bearer ${ADMIN_TOKEN}`] });
  const { digest } = JSON.parse(health.body.toString()) as { digest: string };
  const page = await browser.newPage();
  const failures: string[] = [];
  const origins = new Set<string>();
  const origin = `http://127.0.0.1:${host.port}`;
  await page.goto(`${origin}/gateway/routes`);
  await page.getByLabel("Admin token").fill(ADMIN_TOKEN);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${origin}/gateway/routes`);
  page.on("console", (message) => message.type() === "error" && failures.push(message.text()));
  page.on("pageerror", (error) => failures.push(String(error)));
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
  page.on("response", (response) => response.status() >= 400 && failures.push(`${response.status()} ${response.url()}`));
  const shownOn: Readonly<Record<string, readonly string[]>> = {
    "": ["shop", "No Redis is set"],
    "/routes": ["/users/:id/orders", "*.partners.example", "GET", "PUT"],
    "/backends": [backend.url],
    "/config": [digest, "Stores", "vercel"],
  };
  for (const [path, texts] of Object.entries(shownOn)) {
    await page.goto(`${origin}/gateway${path}`, { waitUntil: "networkidle" });
    const text = await page.locator("body").textContent();
    for (const shown of texts) expect(text).toContain(shown);
  }
  expect([...origins]).toEqual([origin]);
  expect(failures).toEqual([]);
});
