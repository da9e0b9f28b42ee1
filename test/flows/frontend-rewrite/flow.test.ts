/** A frontend in front of the gateway: a small Next app that rewrites /api to it, and the same by Vite and vercel.json. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createServer } from "vite";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Backend, startBackend } from "../../support/backend.ts";
import { configIn } from "../../support/describe-hosts.ts";
import { HOST_NAMES, type HostProcess, ROOT, run, startHost } from "../../support/host-process.ts";
import { RawConnection, requestBytes, sendRaw } from "../../support/raw-client.ts";
import { until } from "../../support/until.ts";

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

  const frontends: [what: string, start: (gatewayUrl: string) => Promise<{ port: number; stop(): unknown }>][] = [
    ["a Next frontend's rewrite", startNextFrontend],
    ["Vite's proxy", startViteFrontend],
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

async function startNextFrontend(gatewayUrl: string) {
  // In development: a build would hold the address that the gateway had when it was made.
  rmSync(join(FRONTEND, ".next"), { recursive: true, force: true });
  const args = [join(ROOT, "node_modules/next/dist/bin/next"), "dev", "--port", "0", "--hostname", "127.0.0.1"];
  const { child, output } = run(args, FRONTEND, { GATEWAY_URL: gatewayUrl, NEXT_TELEMETRY_DISABLED: "1" });
  const port = await until(() => {
    if (child.exitCode !== null) throw new Error(output.join(""));
    return /http:\/\/127\.0\.0\.1:(\d+)[\s\S]*Ready/.exec(output.join(""))?.[1];
  }, "the frontend to listen");
  const stop = async () => {
    child.kill("SIGTERM");
    await until(() => child.exitCode !== null || child.signalCode !== null, "the frontend's end");
    rmSync(join(FRONTEND, ".next"), { recursive: true, force: true });
  };
  return { port: Number(port), stop };
}

async function startViteFrontend(gatewayUrl: string) {
  vi.stubEnv("GATEWAY_URL", gatewayUrl);
  const server = await createServer({
    root: FRONTEND,
    configFile: join(FRONTEND, "vite.config.ts"),
    logLevel: "silent",
    server: { host: "127.0.0.1", port: 0 },
  });
  vi.unstubAllEnvs();
  await server.listen();
  const port = new URL(server.resolvedUrls!.local[0]!).port;
  return { port: Number(port), stop: () => server.close() };
}
