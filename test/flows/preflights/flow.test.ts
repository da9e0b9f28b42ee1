/** A browser keeps what a preflight grants: each method by the CORS of its own route, conditions by the names of the fields. */
import { describe, expect, test } from "vitest";
import { ensureChromium, launchBrowser } from "../../support/browser.ts";
import { describeHosts } from "../../support/describe-hosts.ts";

const APP = "https://app.example";
const EVIL = "https://evil.example";

describeHosts(import.meta.dirname, (flow) => {
  const preflight = (target: string, method: string, origin: string, fields?: string) =>
    flow.send({
      method: "OPTIONS",
      target,
      headers: [
        "Origin",
        origin,
        "Access-Control-Request-Method",
        method,
        ...(fields ? ["Access-Control-Request-Headers", fields] : []),
      ],
    });

  test.each([
    ["/item", "GET", EVIL, "GET"],
    ["/item", "GET", APP, "GET, PUT"],
    ["/item", "PUT", APP, "GET, PUT"],
    ["/item", "PUT", EVIL, undefined],
    // With cookies: the routes that take none are not opened to them, and a list of one's own opens nobody else's route.
    ["/cart", "GET", APP, "GET, PUT"],
    ["/cart", "PUT", APP, "GET, PUT"],
    ["/cart", "POST", APP, "GET, POST, PUT"],
    ["/cart", "DELETE", "https://admin.example", "DELETE"],
    ["/cart", "DELETE", APP, undefined],
  ])("%s: a preflight for %s from %s is told %s", async (target, method, origin, methods) => {
    const { status, headers, received } = await preflight(target, method, origin);
    expect([status, received]).toEqual([204, undefined]);
    const granted = headers.has("access-control-allow-origin") ? headers.get("access-control-allow-methods") : undefined;
    expect(granted).toBe(methods);
  });

  test("a method without CORS is told nothing of another's", async () => {
    const { headers, received } = await preflight("/item", "DELETE", EVIL);
    expect(received).toBeUndefined();
    expect(headers.pairs.filter((name) => /^access-control-/i.test(name))).toEqual([]);
  });

  describe("conditions on header fields", () => {
    test.each([
      ["/region", "GET", "x-region"],
      ["/region", "DELETE", "content-type, X-Region"],
      ["/v/a", "PUT", "x-api-version"],
      ["/when", "PUT", "x-region"],
    ])("%s with %s holds where %s is asked for", async (target, method, fields) => {
      const { status, headers, received } = await preflight(target, method, APP, fields);
      expect([status, received]).toEqual([204, undefined]);
      expect(headers.get("access-control-allow-origin")).toBe(APP);
      expect(headers.get("access-control-allow-methods")).toBe(method);
    });

    test("and not where it is not", async () => {
      const other = await preflight("/v/a", "PUT", APP, "x-other");
      expect(other.headers.get("access-control-allow-methods") ?? "").not.toContain("PUT");
      expect((await preflight("/when", "PUT", APP)).headers.has("access-control-allow-origin")).toBe(false);
    });
  });

  test("in Chromium a preflight for GET opens GET alone", { timeout: 120_000 }, async () => {
    ensureChromium();
    flow.backend.on("/page", (_, response) => response.setHeader("content-type", "text/html").end("<p>another origin</p>"));
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(`${flow.backend.url}/page`);
      for (const { port } of [flow.host("node"), flow.host("vercel")]) {
        const before = flow.backend.requests.length;
        const outcome = (method: string) =>
          page.evaluate(
            ([url, asked]) =>
              fetch(url!, { method: asked!, headers: { "x-a": "1" } }).then(
                ({ status }) => status,
                () => "blocked",
              ),
            [`http://127.0.0.1:${port}/item`, method],
          );
        expect([await outcome("GET"), await outcome("DELETE"), await outcome("PUT")]).toEqual([200, "blocked", "blocked"]);
        // The browser asks the page's origin for an icon whenever it likes.
        const asked = flow.backend.requests.slice(before).filter(({ target }) => target === "/item");
        expect(asked.map(({ method }) => method)).toEqual(["GET"]);
      }
    } finally {
      await browser.close();
    }
  });
});
