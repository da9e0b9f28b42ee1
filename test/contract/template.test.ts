/** Request values in config text: each encoded for where it lands, so that a caller's value stays a value. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderTemplate } from "#lib/contract/render-template.ts";
import type { Template, TemplateValue } from "#lib/contract/template.ts";
import { exchangeFor } from "../support/exchange.ts";

const value = (from: TemplateValue["from"], name: string): Template => [{ from, name }];

describe("renderTemplate", () => {
  const exchange = exchangeFor({
    target: "/users/a%20b/files/x%2Fy/z?q=1&q=2&e=%0d%0aX",
    path: "/users/:id/files/*",
    headers: ["X-Name", 'say "hi"'],
    ip: "203.0.113.9",
    geo: { country: "DE" },
    consumer: { id: "web:7", authenticator: "web", tier: "pro", claims: { org: "acme", roles: ["a", "b"], n: 7 } },
  });

  test("joins text and values of every source", () => {
    const template: Template = [
      "<",
      { from: "params", name: "id" },
      "|",
      { from: "query", name: "q" },
      "|",
      { from: "header", name: "x-name" },
      ">",
    ];
    expect(renderTemplate(template, exchange, "text")).toBe('<a b|1|say "hi">');
    expect(renderTemplate(value("claim", "org"), exchange, "text")).toBe("acme");
    expect(renderTemplate(value("claim", "n"), exchange, "text")).toBe("7");
    expect(renderTemplate(value("claim", "roles"), exchange, "text")).toBe('["a","b"]');
    expect(renderTemplate(value("consumer", "tier"), exchange, "text")).toBe("pro");
    expect(renderTemplate(value("geo", "country"), exchange, "text")).toBe("DE");
  });

  test("what is not there is empty", () => {
    const bare = exchangeFor({ target: "/" });
    for (const from of ["params", "query", "header", "claim", "consumer", "geo"] as const) {
      expect(renderTemplate(value(from, "none"), bare, "text")).toBe("");
      expect(renderTemplate(value(from, "none"), bare, "path")).toBe("");
    }
  });

  test("a path parameter goes into a path as it was received", () => {
    expect(renderTemplate(["/u/", { from: "params", name: "id" }], exchange, "path")).toBe("/u/a%20b");
    expect(renderTemplate(["/f/", { from: "params", name: "rest", many: true }], exchange, "path")).toBe("/f/x%2Fy/z");
  });

  test("CR and LF never reach a header: response splitting", () => {
    expect(renderTemplate(["a", ...value("query", "e")], exchange, "header")).toBe("a  X");
  });

  test("a header value neither begins nor ends with whitespace, whatever the caller's value holds", () => {
    const query = exchangeFor({ target: "/?v=%09%20a%20b%00%20" });
    expect(renderTemplate(value("query", "v"), query, "header")).toBe("a b");
    expect(renderTemplate(["Bearer ", ...value("query", "none")], query, "header")).toBe("Bearer");
    expect(renderTemplate(value("query", "v"), query, "text")).toBe("\t a b\0 ");
  });

  test.each([
    ["a/../b", "a%2F..%2Fb"],
    ["a?b#c", "a%3Fb%23c"],
    ["%2e", "%252e"],
  ])("in a path, %s stays one segment", (text, encoded) => {
    const query = exchangeFor({ target: `/?v=${encodeURIComponent(text)}` });
    expect(renderTemplate(value("query", "v"), query, "path")).toBe(encoded);
  });

  test("whatever the value, a header value is legal, a path segment is one, and JSON parses back to it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 20 }), (text) => {
        const query = exchangeFor({ target: `/?v=${encodeURIComponent(text)}` });
        expect(renderTemplate(value("query", "v"), query, "header")).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/);
        const path = renderTemplate(value("query", "v"), query, "path");
        expect(path).not.toMatch(/[/?#\\]/);
        expect(JSON.parse(`"${renderTemplate(value("query", "v"), query, "json")}"`)).toBe(text);
      }),
    );
  });

  test("a header value that is not well-formed text does not stop the request", () => {
    const claims = exchangeFor({ target: "/", consumer: { id: "a:b", authenticator: "a", claims: { x: "\ud800€" } } });
    expect(renderTemplate(value("claim", "x"), claims, "header")).toBe("%EF%BF%BD%E2%82%AC");
    expect(() => renderTemplate(value("claim", "x"), claims, "path")).not.toThrow();
  });
});
