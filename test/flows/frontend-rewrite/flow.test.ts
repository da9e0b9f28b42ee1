/** A frontend in front of the gateway: a small Next app that rewrites /api to it, and the same by Vite and vercel.json. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Backend, startBackend } from "../../support/backend.ts";
import { configIn } from "../../support/describe-hosts.ts";
import { type Frontend, startNextFrontend, startViteFrontend } from "../../support/dev-frontends.ts";
import { HOST_NAMES, type HostProcess, startHost } from "../../support/host-process.ts";
import { RawConnection, requestBytes, sendRaw } from "../../support/raw-client.ts";

const FRONTEND = join(import.meta.dirname, "frontend");
let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.close());

describe.each(HOST_NAMES)("before the %s host", (name) => {
  let gateway: HostProcess;
  beforeAll(async () => {
    gateway = await startHost(name, { config: configIn(import.meta.dirname), env: { BACKEND_URL: backend.url } });
  });
  afterAll(() => gateway.stop());

  const frontends: [what: string, start: (gatewayUrl: string) => Promise<Frontend>][] = [
    ["a Next frontend's rewrite", (url) => startNextFrontend(FRONTEND, { GATEWAY_URL: url })],
    ["Vite's proxy", (url) => startViteFrontend(FRONTEND, { GATEWAY_URL: url })],
  ];
  test.each(frontends)("%s reaches the backend by way of the gateway", async (_, start) => {
    const frontend = await start(`http://127.0.0.1:${gateway.port}`);
    try {
      const answer = await sendRaw(frontend.port, {
        method: "POST",
        target: "/api/products?page=2&q=a%20b",
        headers: ["Host", `127.0.0.1:${frontend.port}`],
        body: "new",
      });
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body.toString())).toEqual({ served: true });
      const received = backend.requests.at(-1)!;
      expect(received).toMatchObject({ method: "POST", target: "/products?page=2&q=a%20b" });
      expect(received.body.toString()).toBe("new");
      expect(received.headers.get("via")).toMatch(/frontdesk/);

      const refused = await sendRaw(frontend.port, { target: "/api/a%2Fb", headers: ["Host", `127.0.0.1:${frontend.port}`] });
      expect(refused.headers.get("x-gateway-error")).toBe("bad-request");

      backend.on("/events", (_request, response) =>
        response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n"),
      );
      const connection = await RawConnection.open(frontend.port);
      connection.write(requestBytes({ target: "/api/events", headers: ["Host", `127.0.0.1:${frontend.port}`] }));
      await connection.readUntil("data: 1");
      connection.close();
    } finally {
      await frontend.stop();
    }
  });
});

test("the rewrite for vercel.json has the same source and path", async () => {
  const { rewrites } = JSON.parse(readFileSync(join(FRONTEND, "vercel.json"), "utf8"));
  vi.stubEnv("GATEWAY_URL", "https://gateway.example.com");
  const { default: nextConfig } = await import("./frontend/next.config.ts");
  expect(await nextConfig.rewrites!()).toEqual(rewrites);
  vi.unstubAllEnvs();
});
