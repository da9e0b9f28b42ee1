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
    ["a status without a meaning", "HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n"],
    ["line feeds alone", "HTTP/1.1 200 OK\ncontent-length: 2\n\nok"],
    ["a space before a colon", "HTTP/1.1 200 OK\r\nx : a\r\ncontent-length: 0\r\n\r\n"],
    ["a control character", "HTTP/1.1 200 OK\r\nx: a\x01\r\ncontent-length: 0\r\n\r\n"],
    ["a head over 32 KB", `HTTP/1.1 200 OK\r\nx: ${"a".repeat(33_000)}\r\n\r\n`],
    ["another protocol, unasked", "HTTP/1.1 101 Switching\r\nupgrade: odd\r\nconnection: upgrade\r\n\r\n"],
    ["two lengths that differ", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"],
    ["a header folded into a second line", "HTTP/1.1 200 OK\r\nx: a\r\n b: c\r\ncontent-length: 0\r\n\r\n"],
  ])("%s in place of an answer: 502", async (_, bytes) => {
    flow.backend.on("/garbage", (_request, response) => response.socket!.end(bytes));
    const answer = await flow.send("/garbage");
    expect(answer.status).toBe(502);
    expect(answer.headers.get("x-gateway-error")).toBe("response-invalid");
  });

  test("a head that breaks off: 502", async () => {
    flow.backend.on("/broken-head", (_request, response) => response.socket!.end("HTTP/1.1 200 OK\r\nx: "));
    expect((await flow.send("/broken-head")).headers.get("x-gateway-error")).toBe("backend-unreachable");
  });

  const CONTINUE = "HTTP/1.1 100 Continue\r\nx: y\r\n\r\n";
  const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
  test.each([
    ["in one piece with the answer", [CONTINUE + OK]],
    ["before the answer", [CONTINUE, OK]],
    ["several, and other informational ones", [`${CONTINUE}${CONTINUE}HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n`, OK]],
    ["in two pieces", ["HTTP/1.1 10", `0 Continue\r\n\r\n${OK}`]],
  ])("a 100 that nobody asked for is passed over (RFC 9110 section 15.2): %s", async (_, pieces) => {
    flow.backend.on("/continue", async (_request, response) => {
      const socket = response.socket!;
      for (const piece of pieces) await new Promise((written) => socket.write(piece, written));
      socket.end();
    });
    for (const request of [{ method: "GET" }, { method: "POST", body: "hello" }]) {
      const answer = await flow.send({ ...request, target: "/continue" });
      expect(answer).toMatchObject({ status: 200, text: "ok" });
    }
  });

  test("a 204 has no length, whatever the backend says (RFC 9110 section 8.6)", async () => {
    flow.backend.on("/empty", (_request, response) => response.socket!.end("HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n"));
    const answer = await flow.send("/empty");
    expect(answer.status).toBe(204);
    expect(answer.headers.has("content-length")).toBe(false);
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
