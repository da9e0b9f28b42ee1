/** The console in a browser, on the Node host: it shows what runs, in both themes and on a phone, and asks nobody else for anything. */
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONSOLE_PAGES } from "#lib/admin/console-paths.ts";
import { launchBrowser } from "../support/browser.ts";
import { ADMIN_TOKEN } from "../support/host-process.ts";
import { type ConsoleHost, callAsOperator, makeTraffic, startConsoleHost, type Traffic } from "./console-host.ts";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const PATHS = ["", ...CONSOLE_PAGES.map((page) => `/${page}`)];
const MAX_SCRIPT_BYTES = 200_000;
/** Each page is loaded for the first time, on a machine that may be busy. */
const SLOW_MS = 60_000;

let console_: ConsoleHost;
let browser: Browser;
let traffic: Traffic;
beforeAll(async () => {
  [console_, browser] = await Promise.all([startConsoleHost(), launchBrowser()]);
  traffic = await makeTraffic(console_);
}, SLOW_MS);
afterAll(async () => {
  await browser?.close();
  await console_?.stop();
});

interface Watched {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of the browser's console, a violated content security policy among them. */
  readonly faults: string[];
  readonly origins: Set<string>;
  /** Of the scripts that were loaded, by address. */
  readonly scriptBytes: Map<string, number>;
}

interface Look {
  readonly colorScheme?: "light" | "dark";
  readonly width?: number;
}

/** A window with a session, which writes down what it loads. */
async function openWindow({ colorScheme = "light", width = 1280 }: Look = {}): Promise<Watched> {
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(SLOW_MS);
  const faults: string[] = [];
  const origins = new Set<string>();
  const scriptBytes = new Map<string, number>();
  await signIn(page);
  page.on("console", (message) => message.type() === "error" && faults.push(`${page.url()}: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`${page.url()}: ${error.message}`));
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
  page.on("response", async (response) => {
    if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`);
    if (response.request().resourceType() === "script") scriptBytes.set(response.url(), gzipSync(await response.body()).length);
  });
  return { page, context, faults, origins, scriptBytes };
}

async function signIn(page: Page): Promise<void> {
  await page.goto(`${console_.origin}/gateway`);
  await page.getByLabel("Admin token").fill(ADMIN_TOKEN);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${console_.origin}/gateway`);
}

const goto = (page: Page, path: string) => page.goto(`${console_.origin}/gateway${path}`, { waitUntil: "networkidle" });

describe.each([
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["a phone", { width: 390 }],
] as const)("in %s", (_, look) => {
  test(
    "every page fits, is accessible, loads little, and asks nobody else",
    async () => {
      const { page, context, faults, origins, scriptBytes } = await openWindow(look);
      for (const path of PATHS) {
        scriptBytes.clear();
        expect((await goto(page, path))?.status(), path).toBe(200);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(overflow, `${path} scrolls sideways`).toBeLessThanOrEqual(0);
        expect(await seriousFaults(page), path).toEqual([]);
        const bytes = [...scriptBytes.values()].reduce((sum, own) => sum + own, 0);
        expect(bytes, `scripts of ${path}`).toBeLessThan(MAX_SCRIPT_BYTES);
      }
      expect(faults).toEqual([]);
      expect([...origins]).toEqual([console_.origin]);
      await context.close();
    },
    2 * SLOW_MS,
  );
});

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** axe-core runs in the page by the browser's own debugger, past the content security policy of the page. */
async function seriousFaults(page: Page): Promise<string[]> {
  const { readFileSync } = await import("node:fs");
  await page.evaluate(readFileSync(AXE, "utf8"));
  const { violations } = await page.evaluate<AxeResult>("axe.run()");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

test(
  "the overview tells traffic, refusals with the pages of their problems, and backends that fail",
  async () => {
    const { page, context } = await openWindow();
    await goto(page, "");
    const text = await page.locator("main").innerText();
    for (const shown of ["rate-limited", "credentials-missing", "/products/*", "broken"]) expect(text).toContain(shown);
    await expect.poll(() => page.locator('a[href="/gateway/problems/rate-limited"]').count()).toBe(1);
    await page.getByRole("navigation", { name: "Period" }).getByRole("link", { name: "15 min" }).click();
    await page.waitForURL(/period=15m/);
    await context.close();
  },
  SLOW_MS,
);

test(
  "a live page takes up new requests, and keeps what is open and in focus",
  async () => {
    const { page, context } = await openWindow();
    await goto(page, "/requests?code=credentials-missing");
    const rows = page.locator(".requests > li");
    const before = await rows.count();
    const first = rows.first().locator("summary");
    const path = (await first.locator("code").innerText()).trim();
    await first.focus();
    await page.keyboard.press("Enter");
    await callAsOperator(console_, "GET", "traffic");
    await fetch(`${console_.origin}/orders/77`);
    await expect.poll(() => rows.count(), { timeout: 20_000 }).toBe(before + 1);
    expect(await page.locator(".requests details[open] summary code").allInnerTexts()).toEqual([path]);
    expect(await page.evaluate(() => document.activeElement?.querySelector("code")?.textContent)).toBe(path);
    await context.close();
  },
  SLOW_MS,
);

test(
  "a refused request is found by its id, and its row shows the steps",
  async () => {
    const { page, context } = await openWindow();
    await goto(page, "/requests");
    await page.getByLabel("Request id").fill(traffic.limitedId);
    await page.keyboard.press("Enter");
    await page.waitForURL(/id=/);
    const rows = page.locator(".requests > li");
    await expect.poll(() => rows.count()).toBe(1);
    expect(await rows.locator(".waterfall").innerText()).toMatch(/limit\s+refused: rate-limited: over "few"/);
    expect(await rows.getByRole("link").getAttribute("href")).toBe("/gateway/problems/rate-limited");
    await context.close();
  },
  SLOW_MS,
);

test(
  "by keyboard alone an operator signs in, makes a key, uses it and revokes it",
  async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(SLOW_MS);
    await page.goto(`${console_.origin}/gateway/consumers`);
    // The field takes the focus by itself.
    await page.waitForFunction(() => document.activeElement?.id === "token");
    await page.keyboard.type(ADMIN_TOKEN);
    await page.keyboard.press("Enter");
    await page.waitForURL(`${console_.origin}/gateway/consumers`);
    await page.waitForLoadState("networkidle");
    await tabTo(page, "name");
    await page.keyboard.type("by keyboard");
    await page.keyboard.press("Tab");
    await page.keyboard.type("robot");
    await page.keyboard.press("Tab");
    await page.keyboard.type("orders:read");
    await page.keyboard.press("Enter");
    const key = await page.locator("dialog[open] .secret").innerText();
    expect(await orderWith(key)).toBe(200);
    // Copy has the focus; Done is next.
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("dialog[open]").count()).toBe(0);
    await tabToText(page, "Revoke by keyboard");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("dialog[open]").count()).toBe(1);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("tr", { hasText: "by keyboard" }).innerText()).toContain("revoked");
    expect(await orderWith(key)).toBe(401);
    await goto(page, "/audit");
    expect(await page.locator("main").innerText()).toContain("key.revoked");
    await context.close();
  },
  2 * SLOW_MS,
);

async function orderWith(key: string): Promise<number> {
  return (await fetch(`${console_.origin}/orders/1`, { headers: { "x-api-key": key } })).status;
}

const MAX_TABS = 80;

async function tabTo(page: Page, fieldName: string): Promise<void> {
  await tabUntil(page, (name) => document.activeElement?.getAttribute("name") === name, fieldName);
}

async function tabToText(page: Page, text: string): Promise<void> {
  await tabUntil(page, (wanted) => document.activeElement?.textContent === wanted, text);
}

async function tabUntil(page: Page, isThere: (wanted: string) => boolean, wanted: string): Promise<void> {
  for (let tabs = 0; tabs < MAX_TABS; tabs++) {
    if (await page.evaluate(isThere, wanted)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`no ${wanted} within ${MAX_TABS} tabs`);
}

test(
  "an exception, a purge and the maintenance switch do what they say",
  async () => {
    const { page, context } = await openWindow();
    await goto(page, "/consumers?consumer=partners:acme");
    await page.getByLabel("Amount of orders").fill("7");
    await page.getByRole("button", { name: "Set the exception" }).click();
    await expect.poll(() => callAsOperator(console_, "GET", "overrides")).toEqual({ "partners:acme": { limits: { orders: 7 } } });
    await goto(page, "/cache");
    await page.getByLabel("By").selectOption("prefix");
    await page.getByLabel("Which").fill("/products/");
    await page.getByRole("button", { name: "Purge", exact: true }).click();
    await page.getByText("3 stored answers were dropped.").waitFor();
    await goto(page, "/config");
    await page.getByRole("button", { name: "Turn on maintenance" }).click();
    await page.locator("dialog[open]").getByRole("button", { name: "Turn on" }).click();
    await expect.poll(() => callAsOperator(console_, "GET", "maintenance")).toMatchObject({ on: true });
    await context.close();
  },
  2 * SLOW_MS,
);

test("a path that is no page stays a problem", async () => {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  for (const path of ["/request", "/requests/1", "/_parts"]) {
    const answer = await fetch(`${console_.origin}/gateway${path}`, { headers });
    expect([path, answer.status, answer.headers.get("content-type")]).toEqual([path, 404, "application/problem+json"]);
  }
});
