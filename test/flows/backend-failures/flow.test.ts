/** A backend that fails: before the answer has begun it is a problem; after that the connection breaks, never a clean end. */
import { expect, test } from "vitest";
import { describeHosts, onEachHost } from "../../support/describe-hosts.ts";

describeHosts(import.meta.dirname, (flow) => {
  test("nobody listens: 502", async () => {
    const answer = await flow.send("/nobody");
    expect(answer.status).toBe(502);
    expect(answer.headers.get("x-gateway-error")).toBe("backend-unreachable");
    expect(JSON.parse(answer.text)).toMatchObject({
      type: "/gateway/problems/backend-unreachable",
      status: 502,
      code: "backend-unreachable",
    });
    // Addresses and system errors are for the operator's record only.
    expect(answer.text).not.toMatch(/127\.0\.0\.1|ECONN/);
  });

  test("the connection is reset before the answer: 502", async () => {
    flow.backend.on("/reset", (_, response) => response.socket!.destroy());
    expect((await flow.send("/reset")).status).toBe(502);
  });

  test.each([
    ["garbage", "hello\r\n\r\n"],
    ["an impossible status", "HTTP/1.1 99999 Odd\r\n\r\n"],
    ["a head that breaks off", "HTTP/1.1 200 OK\r\nx: "],
    ["two lengths that differ", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"],
    ["a header folded into a second line", "HTTP/1.1 200 OK\r\nx: a\r\n b: c\r\ncontent-length: 0\r\n\r\n"],
  ])("%s in place of an answer: 502", async (_, bytes) => {
    flow.backend.on("/garbage", (_request, response) => response.socket!.end(bytes));
    const answer = await flow.send("/garbage");
    expect(answer.status).toBe(502);
    expect(answer.headers.get("x-gateway-error")).toBe("backend-unreachable");
  });

  test("no answer in time: 504", async () => {
    flow.backend.on("/silent", () => {});
    const answer = await flow.send("/silent");
    expect(answer.status).toBe(504);
    expect(JSON.parse(answer.text)).toMatchObject({ code: "backend-timeout" });
  });

  test("no whole answer in time, without a byte: 504", async () => {
    flow.backend.on("/total", () => {});
    expect((await flow.send("/total")).status).toBe(504);
  });

  const begun: [what: string, target: string, bytes: string, ends: boolean][] = [
    ["ends before its stated length", "/short", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun", true],
    ["breaks off between chunks", "/chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n", true],
    ["goes quiet for longer than `idle`", "/idle", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n", false],
    ["takes longer than `total`", "/total", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n", false],
  ];
  for (const [what, target, bytes, ends] of begun) {
    onEachHost(`an answer that ${what} does not look whole`, flow, async ({ name }) => {
      flow.backend.on(target, (_, response) => (ends ? response.socket!.end(bytes) : response.socket!.write(bytes)));
      const answer = await flow.sendTo(name, target);
      expect(answer.status).toBe(200);
      expect(answer.isWhole).toBe(false);
      expect(answer.text).toBe("begun");
    });
  }

  test("the gateway goes on after all of this", async () => {
    expect((await flow.send("/well")).status).toBe(200);
  });
});
