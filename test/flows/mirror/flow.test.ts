/** Requests that are copied to another backend: on both hosts the copy arrives, and the caller gets the one answer. */
import { beforeEach, describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { ADMIN_TOKEN, HOST_NAMES } from "../../support/host-process.ts";
import { until } from "../../support/until.ts";

describeHosts(
  import.meta.dirname,
  (flow) => {
    beforeEach(() => {
      flow.backend.requests.length = 0;
    });
    const copy = () =>
      until(
        () => flow.backend.requests.find(({ target, state }) => target.startsWith("/next/") && state === "whole"),
        "the copy",
      );

    describe.each(HOST_NAMES)("on %s", (name) => {
      test("a body arrives twice, with the fields of each backend", async () => {
        flow.backend.on("/next/orders", (_, response) => response.writeHead(500).end("nobody sees it"));
        flow.backend.on("/now/orders", (_, response) => response.writeHead(201).end("made"));
        const answer = await flow.sendTo(name, { method: "POST", target: "/orders?a=1", body: "an order" });
        expect([answer.status, answer.text]).toEqual([201, "made"]);
        const { target, headers, body } = await copy();
        expect([target, body.toString()]).toEqual(["/next/orders?a=1", "an order"]);
        expect([headers.get("x-gateway-mirror"), headers.has("x-key")]).toEqual(["true", false]);
      });

      test("credentials go to neither, who calls goes to both", async () => {
        const headers = ["authorization", `Basic ${Buffer.from("ada:ada's own").toString("base64")}`];
        expect((await flow.sendTo(name, { target: "/mine", headers })).status).toBe(200);
        const seen = (await copy()).headers;
        expect([seen.has("authorization"), seen.get("x-gateway-consumer")]).toEqual([false, "people:ada"]);
      });

      test("what is refused, or not to be copied, is not", async () => {
        expect((await flow.sendTo(name, "/mine")).status).toBe(401);
        expect((await flow.sendTo(name, "/alone")).status).toBe(200);
        expect((await flow.sendTo(name, "/last")).status).toBe(200);
        expect((await copy()).target).toBe("/next/last");
        expect(flow.backend.requests.map(({ target }) => target).toSorted()).toEqual(["/next/last", "/now/alone", "/now/last"]);
      });

      test("a caller can't pass a request off as a copy", async () => {
        await flow.sendTo(name, { target: "/alone", headers: ["x-gateway-mirror", "true"] });
        expect(flow.backend.requests[0]!.headers.has("x-gateway-mirror")).toBe(false);
      });
    });

    test("the page says what became of the copy", async () => {
      await flow.sendTo("vercel", "/shown");
      // The tests build Next's pages for the Vercel shape alone; the Node host serves the same.
      const page = async () =>
        (
          await flow.sendTo("vercel", {
            target: "/gateway/requests",
            headers: ["authorization", `Bearer ${ADMIN_TOKEN}`],
          })
        ).text;
      await until(async () => /Mirror<\/dt><dd><code>sent/.test(await page()), "the request on the page");
    });
  },
  () => ({ ADA_PASSWORD: "ada's own" }),
);
