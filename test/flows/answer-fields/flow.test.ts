/** Fields that every answer of a route gets: those that make browsers careful, and those that say that a route is on its way out. */
import { expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";

const DEPRECATED = { deprecation: "@1801353600", sunset: "Wed, 30 Jun 2027 12:00:00 GMT" };

describeHosts(import.meta.dirname, (flow) => {
  test.each([
    ["an answer of the backend", "/shop/a", 200],
    ["an answer of a route's own", "/answered", 200],
    ["a redirect", "/moved", 302],
    ["a refusal", "/people", 403],
  ])("%s has them", async (_, target, status) => {
    const { headers, ...answer } = await flow.send(target);
    expect(answer.status).toBe(status);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-frame-options")).toBe("SAMEORIGIN");
    // Over plain http it would mean nothing (RFC 6797 section 7.2).
    expect(headers.has("strict-transport-security")).toBe(false);
    expect(headers.get("content-security-policy")).toBe("base-uri 'self'; frame-ancestors 'self'; object-src 'none'");
    expect(headers.get("deprecation")).toBe(DEPRECATED.deprecation);
    expect(headers.get("sunset")).toBe(DEPRECATED.sunset);
    expect(headers.all("link")).toEqual(['<https://docs.example/move>; rel="deprecation"']);
  });

  test("where there is no route browsers are to be careful all the same, and nothing is on its way out", async () => {
    const { headers, status } = await flow.send("/nowhere");
    expect([status, headers.get("x-content-type-options"), headers.get("x-frame-options")]).toEqual([
      404,
      "nosniff",
      "SAMEORIGIN",
    ]);
    expect(headers.has("deprecation")).toBe(false);
  });

  test("a backend's own word on security stands, and its links stay", async () => {
    const own = { "content-security-policy": "default-src 'self'", "x-frame-options": "DENY", link: '</next>; rel="next"' };
    flow.backend.on("/shop/own", (_, response) => response.writeHead(200, own).end());
    const { headers } = await flow.send("/shop/own");
    expect(headers.all("content-security-policy")).toEqual(["default-src 'self'"]);
    expect(headers.all("x-frame-options")).toEqual(["DENY"]);
    expect(headers.all("link").join(", ")).toBe('</next>; rel="next", <https://docs.example/move>; rel="deprecation"');
  });

  test("unless the route says otherwise", async () => {
    const own = { "x-frame-options": "SAMEORIGIN", "referrer-policy": "no-referrer" };
    flow.backend.on("/own", (_, response) => response.writeHead(200, own).end());
    const { headers } = await flow.send("/own");
    expect(headers.all("x-frame-options")).toEqual(["DENY"]);
    expect(headers.all("referrer-policy")).toEqual(["no-referrer"]);
  });

  test("a route without them has none", async () => {
    const { headers } = await flow.send("/plain");
    for (const name of ["x-content-type-options", "content-security-policy", "deprecation", "sunset", "link"])
      expect(headers.has(name)).toBe(false);
  });

  test("a field without a value is left out, and never left to the caller", async () => {
    flow.backend.on("/values", (_, response) => response.writeHead(200, { "x-backend": "own" }).end());
    const own = ["X-Country", "XX", "X-Q", "own", "X-More", "own", "X_Both", "own"];
    const { headers, received } = await flow.send({ target: "/values", headers: own });
    for (const name of ["x-country", "x-q", "x-both"]) expect(received!.headers.has(name), name).toBe(false);
    expect(received!.headers.all("x-more").join(", ")).toBe("own, fixed");
    for (const name of ["x-seen", "x-backend", "x-also"]) expect(headers.has(name), name).toBe(false);
    expect((await flow.send("/said")).headers.has("x-seen")).toBe(false);
  });

  test("a field with a value has it, on each side", async () => {
    flow.backend.on("/values", (_, response) => response.writeHead(200, { "x-backend": "own" }).end());
    const { headers, received } = await flow.send({ target: "/values?q=de", headers: ["X-Q", "own"] });
    expect([received!.headers.all("x-q"), received!.headers.get("x-both")]).toEqual([["de"], "de"]);
    expect(received!.headers.all("x-more").join(", ")).toBe("de, fixed");
    expect(["x-seen", "x-backend", "x-also"].map((name) => headers.all(name))).toEqual([["de"], ["de"], ["de"]]);
    expect((await flow.send("/said?q=de")).headers.get("x-seen")).toBe("de");
  });
});
