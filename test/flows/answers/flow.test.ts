/** Answers that the gateway gives itself, redirects, and header fields changed on the way. */
import { describe, expect, test } from "vitest";
import { describeHosts } from "../../support/describe-hosts.ts";
import { HOST_NAMES } from "../../support/host-process.ts";

describeHosts(import.meta.dirname, (flow) => {
  test("a text", async () => {
    const answer = await flow.send("/plain");
    expect(answer).toMatchObject({ status: 200, text: "hello", received: undefined });
    expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(answer.headers.get("content-length")).toBe("5");
  });

  test("HEAD of it has its length and no body", async () => {
    const answer = await flow.send({ method: "HEAD", target: "/plain" });
    expect(answer.text).toBe("");
    expect(answer.headers.get("content-length")).toBe("5");
  });

  test("JSON with request values, which stay values", async () => {
    const answer = await flow.send("/json/a%22%7D?q=%0A%E2%82%AC");
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.text)).toEqual({ id: 'a"}', list: [1, true, null], q: "\n€" });
  });

  test("a content type of one's own, and several fields of one name", async () => {
    const answer = await flow.send("/html");
    expect(answer.text).toBe("<p>ü</p>");
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.headers.all("x-two").join()).toBe("a,b");
  });

  test("an answer without a body", async () => {
    expect(await flow.send("/nothing")).toMatchObject({ status: 204, text: "" });
  });

  test("a redirect by path", async () => {
    const answer = await flow.send("/old/a/b%20c?x=1");
    expect(answer.status).toBe(302);
    expect(answer.headers.get("location")).toBe("/new/a/b%20c");
  });

  test("a redirect elsewhere that keeps the query", async () => {
    const answer = await flow.send("/moved/7?x=1");
    expect(answer.status).toBe(308);
    expect(answer.headers.get("location")).toBe("https://other.example/items/7?from=here&x=1#top");
  });

  describe.each(HOST_NAMES)("on %s", (host) => {
    test.each(["/old//evil.example", "/old/%2F%2Fevil.example", "/old/%5Cevil.example", "/old/\\evil.example"])(
      "%s does not lead to another site",
      async (target) => {
        const location = (await flow.sendTo(host, target)).headers.get("location") ?? "/";
        expect(new URL(location, "http://gateway.example").host).toBe("gateway.example");
      },
    );
  });

  test("fields of the request and of the answer are set, added and removed", async () => {
    flow.backend.on("/changed", (_, response) => response.writeHead(200, { server: "secret/1.0", "x-seen": "before" }).end());
    const answer = await flow.send({
      target: "/changed?name=Zo%C3%AB",
      headers: ["cookie", "a=1", "x-name", "mine", "x-tag", "zero", "user-agent", "curl/8"],
    });
    const { headers } = answer.received!;
    expect(headers.all("x-name")).toEqual(["Zoë"]);
    expect(headers.all("x-tag").join()).toBe("zero,one,two");
    expect(headers.has("cookie")).toBe(false);
    expect(answer.headers.get("x-agent")).toBe("curl/8");
    expect(answer.headers.all("x-seen").join(", ")).toBe("before, yes");
    expect(answer.headers.has("server")).toBe(false);
  });

  test("a value can't end the field that it stands in", async () => {
    const { received } = await flow.send("/changed?name=a%0D%0Ax-evil:%201");
    expect(received!.headers.get("x-name")).toBe("a  x-evil: 1");
    expect(received!.headers.has("x-evil")).toBe(false);
  });

  test("defaults shape every answer, refusals included, until a route switches them off", async () => {
    expect((await flow.send("/plain")).headers.get("x-served-by")).toBe("frontdesk");
    expect((await flow.send("/nowhere")).headers.get("x-served-by")).toBe("frontdesk");
    expect((await flow.send("/bare")).headers.has("x-served-by")).toBe(false);
  });
});
