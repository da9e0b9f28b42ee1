/** Bytes on the way: uploads and downloads arrive whole, events one by one, and an end on either side reaches the other. */
import { createHash, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { describeHosts, onEachHost } from "../../support/describe-hosts.ts";
import { RawConnection, requestBytes } from "../../support/raw-client.ts";
import { until } from "../../support/until.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describeHosts(import.meta.dirname, (flow) => {
  test("an upload of 20 MB arrives whole", async () => {
    const body = randomBytes(20_000_000);
    const answer = await flow.send({
      method: "PUT",
      target: "/upload",
      headers: ["content-type", "application/octet-stream"],
      body,
    });
    expect(answer.received!.state).toBe("whole");
    expect(sha256(answer.received!.body)).toBe(sha256(body));
    expect(answer.received!.headers.get("content-length")).toBe("20000000");
  });

  test("a download of 20 MB arrives whole", async () => {
    const body = randomBytes(20_000_000);
    flow.backend.on("/download", (_, response) => response.writeHead(200, { "content-length": body.length }).end(body));
    const answer = await flow.send("/download");
    expect(answer.isWhole).toBe(true);
    expect(sha256(answer.body)).toBe(sha256(body));
  });

  onEachHost("events pass one by one, as they come", flow, async ({ port }) => {
    let send: (event: string) => void = () => {};
    flow.backend.on("/events", (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      send = (event) => (event === "" ? response.end() : response.write(event));
      send("data: 1\n\n");
    });
    const connection = await RawConnection.open(port);
    connection.write(requestBytes({ target: "/events" }));
    expect((await connection.readHead()).headers.get("content-type")).toBe("text/event-stream");
    // Each is sent only after the one before has been read here: nothing on the way may wait for more.
    await connection.readUntil("data: 1\n\n");
    send("data: 2\n\n");
    await connection.readUntil("data: 2\n\n");
    send("");
    await connection.readUntil("0\r\n\r\n");
    connection.close();
  });

  test("the head comes before the first byte of the body (node)", async () => {
    let finish = () => {};
    flow.backend.on("/slow", (_, response) => {
      response.writeHead(200, { "x-early": "yes" }).flushHeaders();
      finish = () => response.end("done");
    });
    const connection = await RawConnection.open(flow.host("node").port);
    connection.write(requestBytes({ target: "/slow" }));
    const head = await connection.readHead();
    expect(head.headers.get("x-early")).toBe("yes");
    finish();
    expect((await connection.readBody(head)).body.toString()).toBe("done");
    connection.close();
  });

  onEachHost("a caller who goes away in the middle of an answer is missed by the backend", flow, async ({ port }) => {
    flow.backend.on("/endless", (_, response) => response.writeHead(200).write("begun"));
    const connection = await RawConnection.open(port);
    connection.write(requestBytes({ target: "/endless" }));
    await connection.readUntil("begun");
    const received = flow.backend.requests.at(-1)!;
    expect(received.hungUp).toBe(false);
    connection.close();
    await until(() => received.hungUp, "the backend to be told");
  });

  onEachHost("a caller who goes away before the answer begins, too", flow, async ({ port }) => {
    flow.backend.on("/silent", () => {});
    const before = flow.backend.requests.length;
    const connection = await RawConnection.open(port);
    connection.write(requestBytes({ target: "/silent" }));
    const received = await until(() => flow.backend.requests[before], "the request at the backend");
    connection.close();
    await until(() => received.hungUp, "the backend to be told");
  });

  onEachHost("a download that the caller does not read does not pile up in the gateway", flow, async ({ port, child }) => {
    const written = { bytes: 0 };
    flow.backend.on("/flood", (_, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(64 * 1024);
      const pump = () => {
        while (!response.destroyed && written.bytes < 300_000_000) {
          written.bytes += chunk.length;
          if (!response.write(chunk)) return void response.once("drain", pump);
        }
      };
      pump();
    });
    const connection = await RawConnection.open(port);
    connection.write(requestBytes({ target: "/flood" }));
    await connection.readHead();
    connection.socket.pause();
    // Until nothing more is taken: as long as the count still grows, ask again.
    let last = -1;
    await until(async () => {
      const before = written.bytes;
      await new Promise((resolve) => setTimeout(resolve, 200));
      const isStill = before === written.bytes && before === last;
      last = written.bytes;
      return isStill;
    }, "the backend to be held back");
    expect(written.bytes).toBeLessThan(100_000_000);
    expect(child.exitCode).toBeNull();
    connection.close();
  });

  test("encoded answers reach the caller under the right label, or decoded", async () => {
    const text = "a text that is long enough to be worth it ".repeat(50);
    flow.backend.on("/gzip", (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(text)));
    const [node, vercel] = [await flow.sendTo("node", "/gzip"), await flow.sendTo("vercel", "/gzip")];
    expect(node.headers.get("content-encoding")).toBe("gzip");
    expect(node.body.equals(gzipSync(text))).toBe(true);
    expect(vercel.headers.has("content-encoding")).toBe(false);
    expect(vercel.text).toBe(text);
  });
});
