/** A script of an allowed origin can read every answer, whoever gave it; one of another origin none. */
import { describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import type { RawRequest } from "../../support/raw-client.ts";

const ORIGIN = "https://beta.shop.example";

/** The answers of a backend, and of the gateway at each place where it can stop a request. */
const ANSWERS: [what: string, request: RawRequest, status: number][] = [
  ["an answer of the backend", { target: "/shop/ok" }, 200],
  ["its redirect", { target: "/shop/redirect" }, 307],
  ["its 404", { target: "/shop/missing" }, 404],
  ["its error", { target: "/shop/error" }, 500],
  ["its answer without a body", { target: "/shop/nothing" }, 204],
  ["its 304", { target: "/shop/unchanged" }, 304],
  ["an answer to HEAD", { method: "HEAD", target: "/shop/ok" }, 200],
  ["an ambiguous path", { target: "/shop/a%00b" }, 400],
  ["no route", { target: "/nowhere" }, 404],
  ["a method that is not served", { method: "DELETE", target: "/post" }, 405],
  ["a body that is too large", { method: "POST", target: "/post", body: "x".repeat(1025) }, 413],
  ["a client that is not let in", { target: "/people", headers: ["User-Agent", "a bot"] }, 403],
  ["a page of another site", { method: "POST", target: "/own-pages", headers: ["Sec-Fetch-Site", "cross-site"] }, 403],
  ["a URL that is too long", { target: `/short?${"x".repeat(40)}` }, 414],
  ["a head that is too large", { target: "/short", headers: ["X-Large", "x".repeat(5000)] }, 431],
  ["too many keys", { target: "/short?a&b&c" }, 400],
  ["maintenance", { target: "/closed" }, 503],
  ["a backend that is not there", { target: "/nobody" }, 502],
  ["a backend that is silent", { target: "/slow" }, 504],
  ["an answer of a route's own", { target: "/answered" }, 200],
  ["a redirect of a route's own", { target: "/moved" }, 302],
];

describeHosts(import.meta.dirname, (flow) => {
  function prepare(): void {
    const { backend } = flow;
    backend.on("/shop/redirect", (_, response) => response.writeHead(307, { location: "/shop/ok" }).end());
    backend.on("/shop/missing", (_, response) => response.writeHead(404).end("missing"));
    backend.on("/shop/error", (_, response) => response.writeHead(500).end("broken"));
    backend.on("/shop/nothing", (_, response) => response.writeHead(204).end());
    backend.on("/shop/unchanged", (_, response) => response.writeHead(304, { etag: '"1"' }).end());
    backend.on("/slow", () => {});
    const own = { "access-control-allow-origin": "*", "access-control-max-age": "1", vary: "Accept" };
    backend.on("/shop/own", (_, response) => response.writeHead(200, own).end());
  }
  const from = (origin: string, { headers = [], ...request }: RawRequest) =>
    flow.send({ ...request, headers: ["Origin", origin, ...headers] });

  describe.each(ANSWERS)("%s", (_, request, status) => {
    test("can be read from an allowed origin", async () => {
      prepare();
      const { headers, ...answer } = await from(ORIGIN, request);
      expect(answer.status).toBe(status);
      expect(headers.all("access-control-allow-origin")).toEqual([ORIGIN]);
      expect(headers.all("access-control-allow-credentials")).toEqual(["true"]);
      expect(headers.get("access-control-expose-headers")).toContain("x-gateway-error");
      expect(headers.all("vary").join(", ")).toMatch(/\bOrigin\b/);
    });

    test("and from no other", async () => {
      prepare();
      const { headers, ...answer } = await from("https://evil.example", request);
      expect(answer.status).toBe(status);
      expect(headers.pairs.filter((text) => /^access-control-/i.test(text))).toEqual([]);
      expect(headers.all("vary").join(", ")).toMatch(/\bOrigin\b/);
    });
  });

  test("a request that has passed the gateway before", async () => {
    const via = (await flow.send("/shop/ok")).received!.headers.get("via")!;
    const answer = await from(ORIGIN, { target: "/shop/ok", headers: ["Via", via] });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([508, ORIGIN]);
  });

  test("the backend's own fields are replaced, and what it varies by is kept", async () => {
    prepare();
    const { headers } = await from(ORIGIN, { target: "/shop/own" });
    expect(headers.all("access-control-allow-origin")).toEqual([ORIGIN]);
    expect(headers.has("access-control-max-age")).toBe(false);
    expect(headers.all("vary").join(", ")).toContain("Accept");
  });

  test("a preflight never reaches the backend, even where everybody else is kept out", async () => {
    for (const target of ["/shop/ok", "/closed", "/people"]) {
      const { headers, ...answer } = await from(ORIGIN, {
        method: "OPTIONS",
        target,
        headers: [
          "Access-Control-Request-Method",
          "PUT",
          "Access-Control-Request-Headers",
          "x-one, x-two",
          "User-Agent",
          "a bot",
        ],
      });
      expect([answer.status, answer.received]).toEqual([204, undefined]);
      expect(headers.get("access-control-allow-methods")).toBe("PUT");
      expect(headers.get("access-control-allow-headers")).toBe("x-one, x-two");
    }
  });

  test("everybody, and nobody", async () => {
    const everybody = await from("https://anybody.example", { target: "/everybody" });
    expect(everybody.headers.get("access-control-allow-origin")).toBe("*");
    expect((await from(ORIGIN, { target: "/private" })).headers.has("access-control-allow-origin")).toBe(false);
  });
});
