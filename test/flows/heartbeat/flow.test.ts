/** A silent event stream gets a comment where the route asks for it: between two events, and in nothing but an event stream. */
import { gzipSync } from "node:zlib";
import { EventSource } from "eventsource";
import { expect, test } from "vitest";
import { describeHosts, onEachHost } from "../../support/describe-hosts.ts";
import { RawConnection, requestBytes } from "../../support/raw-client.ts";
import { until } from "../../support/until.ts";

const EVENTS = { "content-type": "text/event-stream; charset=utf-8" };
const COMMENT = ":\n\n";

describeHosts(import.meta.dirname, (flow) => {
  /** A stream that the test feeds, and the connection that reads it. */
  async function openStream(port: number, path: string, headers: Record<string, string> = EVENTS) {
    const stream = { send: (_: string | Uint8Array) => {}, end: () => {} };
    const begun = new Promise<void>((resolve) => {
      flow.backend.on(path, (_, response) => {
        response.writeHead(200, headers).flushHeaders();
        stream.send = (bytes) => void response.write(bytes);
        stream.end = () => void response.end();
        resolve();
      });
    });
    const connection = await RawConnection.open(port);
    connection.write(requestBytes({ target: path }));
    return { stream, connection, begun };
  }

  onEachHost(
    "comments come before the first event and between events, for as long as nothing else does",
    flow,
    async ({ port }) => {
      const { stream, connection } = await openStream(port, "/events");
      const head = await connection.readHead();
      await connection.readUntil(COMMENT);
      stream.send("data: 1\n\n");
      await connection.readUntil(`data: 1\n\n`);
      await until(
        async () => (await connection.readUntil("data: 1")).split("data: 1\n\n")[1]!.split(COMMENT).length > 2,
        "two comments",
      );
      stream.end();
      const { body, isWhole } = await connection.readBody(head);
      expect(isWhole).toBe(true);
      expect(body.toString().replaceAll(COMMENT, "")).toBe("data: 1\n\n");
      connection.close();
    },
  );

  onEachHost("never within an event, however long it takes", flow, async ({ port }) => {
    const { stream, connection } = await openStream(port, "/halved");
    const other = await openStream(port, "/beside");
    const head = await connection.readHead();
    stream.send("event: a\r\ndata: 1\r\n");
    await connection.readUntil("data: 1");
    // As many silences as the stream beside it has had.
    await other.connection.readHead();
    await until(
      async () => (await other.connection.readUntil(COMMENT)).split(COMMENT).length > 4,
      "comments on the other stream",
    );
    stream.send("\r\n");
    stream.end();
    const { body } = await connection.readBody(head);
    expect(
      body
        .toString()
        .replace(/^(?::\n\n)+/, "")
        .replace(/(?::\n\n)+$/, ""),
    ).toBe("event: a\r\ndata: 1\r\n\r\n");
    for (const each of [connection, other.connection]) each.close();
  });

  onEachHost("an EventSource hears the events and nothing else", flow, async ({ port }) => {
    const heard: string[] = [];
    let feed = (_: string) => {};
    flow.backend.on("/source", (_, response) => {
      response.writeHead(200, EVENTS).write("\ufeffid: 1\ndata: first\n\n");
      feed = (text) => response.write(text);
    });
    const source = new EventSource(`http://127.0.0.1:${port}/source`);
    source.onmessage = ({ data, lastEventId }) => heard.push(`${lastEventId}: ${data}`);
    await until(() => heard.length === 1, "the first event");
    const watcher = await openStream(port, "/watcher");
    await watcher.connection.readUntil(COMMENT);
    feed("data: second\n\n");
    await until(() => heard.length === 2, "the second event");
    expect(heard).toEqual(["1: first", "1: second"]);
    source.close();
    watcher.connection.close();
  });

  test.each([
    ["an answer that is no event stream", "/plain", { "content-type": "text/plain" }],
    ["a stream with a length", "/sized", { ...EVENTS, "content-length": "18" }],
    ["a route without it", "/quiet/events", EVENTS],
  ])("%s gets none", async (_, path, headers) => {
    for (const name of ["node", "vercel"] as const) {
      const { port } = flow.host(name);
      const { stream, connection, begun } = await openStream(port, path, headers);
      // Next sends the head with the first byte after it.
      await begun;
      stream.send("data: 1\n\n");
      const head = await connection.readHead();
      const beside = await openStream(port, "/beside");
      await until(
        async () => (await beside.connection.readUntil(COMMENT)).split(COMMENT).length > 4,
        "comments on another stream",
      );
      stream.send("data: 2\n\n");
      stream.end();
      expect((await connection.readBody(head)).body.toString()).toBe("data: 1\n\ndata: 2\n\n");
      for (const each of [connection, beside.connection]) each.close();
    }
  });

  test("an encoded stream gets none where it stays encoded", async () => {
    const { port } = flow.host("node");
    const bytes = gzipSync("data: 1\n\n");
    const { stream, connection } = await openStream(port, "/gzip", { ...EVENTS, "content-encoding": "gzip" });
    const head = await connection.readHead();
    const beside = await openStream(port, "/beside");
    await until(async () => (await beside.connection.readUntil(COMMENT)).split(COMMENT).length > 4, "comments on another stream");
    stream.send(bytes);
    stream.end();
    expect((await connection.readBody(head)).body.equals(bytes)).toBe(true);
    for (const each of [connection, beside.connection]) each.close();
  });
});
