/** Requests that are kept out by what their heads say: by another site's page, by the wrong client, or by their size. */
import { describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import type { RawRequest } from "../../support/raw-client.ts";

describeHosts(import.meta.dirname, (flow) => {
  async function expectRefused(request: RawRequest, status: number, code: string): Promise<void> {
    const answer = await flow.send(request);
    expect([answer.status, answer.headers.get("x-gateway-error"), answer.received]).toEqual([status, code, undefined]);
    expect(JSON.parse(answer.text)).toMatchObject({ status, code });
  }
  async function expectServed(request: RawRequest): Promise<void> {
    const answer = await flow.send(request);
    expect([answer.status, answer.received?.target]).toEqual([200, request.target]);
  }

  describe("origin", () => {
    const change = (target: string, ...headers: string[]): RawRequest => ({ method: "POST", target, headers, body: "x" });

    test.each([
      ["a page of the same origin", ["Sec-Fetch-Site", "same-origin", "Origin", "https://gateway.example"]],
      ["the person", ["Sec-Fetch-Site", "none"]],
      ["an older browser on the same host", ["Origin", "https://gateway.example"]],
      ["a site that is allowed", ["Sec-Fetch-Site", "cross-site", "Origin", "https://partner.example"]],
      ["a program", []],
    ])("lets a change through that comes from %s", (_, headers) => expectServed(change("/account/a", ...headers)));

    test.each([
      ["another site", ["Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"]],
      ["another host of the same site", ["Sec-Fetch-Site", "same-site"]],
      ["another site in an older browser", ["Origin", "https://evil.example"]],
      ["a sandboxed frame", ["Origin", "null"]],
      ["a site that is denied, whatever else is said", ["Sec-Fetch-Site", "same-origin", "Origin", "https://banned.example"]],
    ])("refuses one from %s", (_, headers) => expectRefused(change("/account/a", ...headers), 403, "csrf-denied"));

    test("reading is no change", () =>
      expectServed({ target: "/account/a", headers: ["Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"] }));

    test("who says nothing is refused where that is asked for", () => expectRefused(change("/strict"), 403, "csrf-denied"));
  });

  describe("userAgent", () => {
    const client = (target: string, name: string): RawRequest => ({ target, headers: ["User-Agent", name] });

    test.each(["curl/8.5", "a Bot/1.0"])("%s is kept out", (name) =>
      expectRefused(client("/people", name), 403, "client-denied"),
    );
    test("others are not, nor who has no name", async () => {
      await expectServed(client("/people", "Mozilla/5.0"));
      await expectServed({ target: "/people" });
    });
    test("only one is let in, and who has no name is not", async () => {
      await expectServed(client("/app", "shop-app/2.1"));
      await expectRefused(client("/app", "shop-ap/2.1"), 403, "client-denied");
      await expectRefused({ target: "/app" }, 403, "client-denied");
    });
    test("in shadow mode nobody is", () => expectServed(client("/tried", "curl/8.5")));
  });

  describe("size", () => {
    test("a URL of just the size, and one byte more", async () => {
      const target = `/small/${"x".repeat(64 - "/small/".length)}`;
      await expectServed({ target });
      await expectRefused({ target: `${target}y` }, 414, "url-too-long");
    });
    test("large heads", async () => {
      await expectServed({ target: "/small/a", headers: ["X-Large", "x".repeat(3_000)] });
      await expectRefused({ target: "/small/a", headers: ["X-Large", "x".repeat(4_096)] }, 431, "headers-too-large");
    });
    test("many keys", async () => {
      await expectServed({ target: "/small/a?a=1&b=2&c=3" });
      await expectRefused({ target: "/small/a?a=1&b=2&c=3&d=4" }, 400, "bad-request");
    });
  });
});
