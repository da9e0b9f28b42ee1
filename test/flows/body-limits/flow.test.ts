/** Bodies that are too large: refused by their stated length, or as soon as they have grown past it. */
import { expect, test } from "vitest";
import { describeHosts, onEachHost } from "../../support/describe-hosts.ts";
import { RawConnection } from "../../support/raw-client.ts";
import { until } from "../../support/until.ts";

const chunked = (body: string) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

describeHosts(import.meta.dirname, (flow) => {
  test("a body of just the size passes, one byte more is refused by its length alone", async () => {
    expect((await flow.send({ method: "POST", target: "/small", body: "x".repeat(1024) })).received!.body).toHaveLength(1024);
    const answer = await flow.send({ method: "POST", target: "/small", body: "x".repeat(1025) });
    expect(answer).toMatchObject({ status: 413, received: undefined });
    expect(JSON.parse(answer.text)).toMatchObject({ code: "payload-too-large", detail: "The body may have at most 1024 bytes." });
  });

  test("by method", async () => {
    expect((await flow.send({ method: "PUT", target: "/by-method", body: "x".repeat(20) })).status).toBe(200);
    expect((await flow.send({ method: "POST", target: "/by-method", body: "x".repeat(20) })).status).toBe(413);
    expect((await flow.send({ method: "PUT", target: "/by-method", body: "x".repeat(21) })).status).toBe(413);
  });

  test("the usual limit is 4 MiB", async () => {
    const answer = await flow.send({ method: "POST", target: "/usual", body: "x".repeat(4 * 1024 * 1024 + 1) });
    expect(answer.status).toBe(413);
  });

  test("a body without a length passes up to the limit", async () => {
    const answer = await flow.send({
      method: "POST",
      target: "/small",
      headers: ["transfer-encoding", "chunked"],
      body: chunked("x".repeat(1024)),
    });
    expect(answer.received!.body).toHaveLength(1024);
    expect(answer.received!.state).toBe("whole");
  });

  onEachHost(
    "a body without a length that grows past the limit is refused, and never whole for the backend",
    flow,
    async ({ name }) => {
      const before = flow.backend.requests.length;
      const answer = await flow.sendTo(name, {
        method: "POST",
        target: "/small",
        headers: ["transfer-encoding", "chunked"],
        body: chunked("x".repeat(5_000)),
      });
      expect(answer.status).toBe(413);
      const received = flow.backend.requests.slice(before);
      await until(() => received.every(({ state }) => state !== "arriving"), "the backend's connection to end");
      expect(received.map(({ state }) => state)).not.toContain("whole");
    },
  );

  onEachHost("a body that ends before its stated length never looks whole to the backend", flow, async ({ port }) => {
    const before = flow.backend.requests.length;
    const connection = await RawConnection.open(port);
    connection.write("POST /usual HTTP/1.1\r\nHost: gateway.example\r\nContent-Length: 100\r\n\r\nonly this");
    connection.socket.end();
    await connection.closed();
    const received = flow.backend.requests.slice(before);
    await until(() => received.every(({ state }) => state !== "arriving"), "the backend's connection to end");
    expect(received.map(({ state }) => state)).not.toContain("whole");
  });

  onEachHost("two framings at once are refused: request smuggling", flow, async ({ port }) => {
    const before = flow.backend.requests.length;
    for (const framing of [
      "Content-Length: 5\r\nTransfer-Encoding: chunked",
      "Content-Length: 5\r\nContent-Length: 6",
      "Transfer-Encoding: xchunked",
      "Content-Length: +5",
    ]) {
      const connection = await RawConnection.open(port);
      connection.write(
        `POST /usual HTTP/1.1\r\nHost: gateway.example\r\n${framing}\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n`,
      );
      expect((await connection.readHead()).status, framing).toBe(400);
      connection.close();
    }
    expect(flow.backend.requests.slice(before)).toEqual([]);
  });
});
