/** Whose certificate a backend must show is the config's to say, not the caller's. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { startNodeGateway } from "../clients/node-gateway.ts";
import { sendRaw } from "../support/raw-client.ts";

/** The name stands in the clear in the first bytes of TLS (RFC 6066 section 3), so that no certificate is needed to see it. */
test("with preserveHost the name asked for in TLS is still that of the backend's url", async () => {
  const hellos: string[] = [];
  const server = createServer((socket: Socket) => {
    socket.on("error", () => {});
    socket.once("data", (bytes) => {
      hellos.push(bytes.toString("latin1"));
      socket.destroy();
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const gateway = await startNodeGateway({
    backends: { own: { url, preserveHost: true } },
    routes: [{ path: "/*", backend: "own", auth: "none" }],
  });
  const answer = await sendRaw(gateway.port, { target: "/", headers: ["Host", "evil.example"] });
  expect(answer.headers.get("x-gateway-error")).toBe("backend-unreachable");
  expect(hellos[0]).toContain("localhost");
  expect(hellos[0]).not.toContain("evil.example");
  await gateway.stop();
  server.close();
});
