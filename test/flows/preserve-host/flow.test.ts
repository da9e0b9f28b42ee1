/** A backend that asks for it gets Host as the caller sent it: one that builds its links, or chooses its tenant, by that. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { startNodeGateway } from "../../clients/node-gateway.ts";
import { describeHosts } from "../../support/describe-hosts.ts";
import { RawConnection } from "../../support/raw-client.ts";

const HOST = ["Host", "Shop.Example:8443"];

describeHosts(import.meta.dirname, (flow) => {
  test("Host as received, in X-Forwarded-Host too", async () => {
    const { headers } = (await flow.send({ target: "/shop/a", headers: HOST })).received!;
    expect(headers.all("host")).toEqual(["Shop.Example:8443"]);
    expect(headers.all("x-forwarded-host")).toEqual(["Shop.Example:8443"]);
    expect(headers.get("forwarded")).toContain('host="Shop.Example:8443"');
  });

  test("the target's own for a backend that does not ask for it", async () => {
    const { headers } = (await flow.send({ target: "/other/a", headers: HOST })).received!;
    expect(headers.all("host")).toEqual([new URL(flow.backend.url).host]);
  });

  test("a redirect that the backend builds by it leads to the gateway's path, and keeps its scheme", async () => {
    flow.backend.on("/old", (_, response) => response.writeHead(301, { location: "https://shop.example:8443/new?a" }).end());
    const answer = await flow.send({ target: "/api/old", headers: HOST });
    expect(answer.headers.get("location")).toBe("https://shop.example:8443/api/new?a");
  });

  test("a request without Host, which only HTTP/1.0 may send, has the target's", async () => {
    const connection = await RawConnection.open(flow.host("node").port);
    connection.write("GET /shop/a HTTP/1.0\r\n\r\n");
    await connection.closed();
    expect((await flow.backend.last()).headers.all("host")).toEqual([new URL(flow.backend.url).host]);
  });
});

const http = createServer();
afterAll(() => http.close());

test("a WebSocket's handshake has it as well", async () => {
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (conversation, request) => conversation.send(String(request.headers.host)));
  await once(http.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const gateway = await startNodeGateway({
    backends: { chat: { url, preserveHost: true } },
    routes: [{ path: "/chat", backend: "chat", auth: "none" }],
  });
  const client = new WebSocket(`ws://127.0.0.1:${gateway.port}/chat`, { headers: { host: "chat.example" } });
  const [message] = (await once(client, "message")) as [Buffer];
  expect(message.toString()).toBe("chat.example");
  client.terminate();
  await gateway.stop();
});
