/** Requests that come round again, and clients that ask for another protocol. */
import { request } from "node:http";
import { expect, test } from "vitest";
import { describeHosts, onEachHost } from "../../support/describe-hosts.ts";
import { HOST } from "../../support/raw-client.ts";

describeHosts(import.meta.dirname, (flow) => {
  onEachHost("a backend that leads back here is a loop, and ends at the second pass", flow, async ({ name, port }) => {
    flow.backend.on("/round", ({ headers }, response) => {
      const again = request(
        { port, host: "127.0.0.1", path: "/round", headers: { host: HOST, via: headers.get("via")! } },
        (answer) => {
          response.writeHead(answer.statusCode!, { "content-type": answer.headers["content-type"]! });
          answer.pipe(response);
        },
      );
      again.end();
    });
    const before = flow.backend.requests.length;
    const answer = await flow.sendTo(name, "/round");
    expect(answer.status).toBe(508);
    expect(JSON.parse(answer.text)).toMatchObject({ code: "loop-detected" });
    expect(flow.backend.requests.length).toBe(before + 1);
  });

  test("another gateway's Via is no loop", async () => {
    expect((await flow.send({ target: "/x", headers: ["Via", "1.1 frontdesk-other, 1.1 varnish"] })).status).toBe(200);
  });

  // Under `next start` Next keeps such connections to itself; test/hosts/seam.test.ts asks the Vercel host's halves without it.
  // Conversations: test/backends/websocket.
  test("a WebSocket goes on to the backend, and its answer in HTTP comes back where it speaks none (node)", async () => {
    const handshake = [
      "Connection",
      "Upgrade",
      "Upgrade",
      "websocket",
      "Sec-WebSocket-Version",
      "13",
      "Sec-WebSocket-Key",
      "dGhlIHNhbXBsZSBub25jZQ==",
    ];
    const answer = await flow.sendTo("node", { target: "/socket", headers: handshake });
    expect(answer.status).toBe(200);
    expect(answer.received!.headers.get("upgrade")).toBe("websocket");
    expect(answer.received!.headers.get("connection")).toBe("upgrade");
  });

  test("an offer of h2c is not taken, and answered in HTTP/1.1: curl and Java make it by themselves (node)", async () => {
    const answer = await flow.sendTo("node", {
      target: "/x",
      headers: ["Connection", "Upgrade, HTTP2-Settings", "Upgrade", "h2c", "HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"],
    });
    expect(answer.status).toBe(200);
    expect(answer.received!.headers.has("upgrade")).toBe(false);
    expect(answer.received!.headers.has("http2-settings")).toBe(false);
  });
});
