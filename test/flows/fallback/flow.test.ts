/** What callers get when a backend has failed: the same on both hosts. */
import { expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";

describeHosts(import.meta.dirname, (flow) => {
  test("a backend that can't be reached", async () => {
    const answer = await flow.send({ target: "/gone", headers: ["x-asked", "ü\\"] });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text).items).toEqual([]);
    expect(answer.headers.has("x-gateway-error")).toBe(false);
    expect((await flow.send("/plain")).headers.get("x-gateway-error")).toBe("backend-unreachable");
  });

  test("a backend that answers 503, after its upload was read", async () => {
    flow.backend.on("/page", (_, response) => response.writeHead(503, { "retry-after": "1" }).end("no"));
    const answer = await flow.send({ method: "POST", target: "/page", body: "x".repeat(100_000) });
    expect([answer.status, answer.text, answer.received?.body.length]).toEqual([503, "<p>Back soon.</p>", 100_000]);
    expect([answer.headers.get("content-type"), answer.headers.get("retry-after")]).toEqual(["text/html", "30"]);
  });

  test("what the backend does answer passes", async () => {
    flow.backend.on("/x", (_, response) => response.writeHead(500).end("its own"));
    expect(await flow.send("/x")).toMatchObject({ status: 500, text: "its own" });
  });
});
