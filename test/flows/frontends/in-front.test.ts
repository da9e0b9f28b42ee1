/** The frontends of docs/frontends.md, as they stand there, in front of both hosts: the gateway counts the person, not the edge. */
import { rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Backend, startBackend } from "../../support/backend.ts";
import { configIn } from "../../support/describe-hosts.ts";
import { type Frontend, startNextFrontend, startViteFrontend } from "../../support/dev-frontends.ts";
import { HOST_NAMES, type HostProcess, ROOT, startHost } from "../../support/host-process.ts";
import { sendRaw } from "../../support/raw-client.ts";
import { type Relay, startRelay } from "../../support/relay.ts";
import { writeSnippets } from "./sign.ts";

const SECRET = "shop-0123456789-0123456789-0123456789";
const PEOPLE = { ada: ["203.0.113.7", "DE"], lin: ["198.51.100.8", "US"] } as const;
type Person = keyof typeof PEOPLE;

const frontends: [what: string, start: (gatewayUrl: string) => Promise<Frontend>][] = [
  ["Next", startNext],
  ["any that handles a Request", startAnyOther],
];

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.close());

describe.each(HOST_NAMES)("before the %s host", (name) => {
  let gateway: HostProcess;
  /** As on Vercel: whatever the frontend sends, the platform writes whom it sees, the frontend's edge in America. */
  let platform: Relay;
  beforeAll(async () => {
    const env = {
      BACKEND_URL: backend.url,
      SHOP_SECRET: SECRET,
      ADMIN_SECRET: SECRET,
      ...(name === "vercel" ? { VERCEL: "1" } : {}),
    };
    gateway = await startHost(name, { config: configIn(import.meta.dirname), env });
    platform = await startRelay({
      to: `http://127.0.0.1:${gateway.port}`,
      onRequest(headers) {
        Object.assign(headers, { "x-real-ip": "198.51.100.1", "x-forwarded-for": "198.51.100.1", "x-vercel-ip-country": "US" });
      },
    });
  });
  afterAll(async () => {
    platform?.close();
    await gateway?.stop();
  });

  describe.each(frontends)("%s", (what, start) => {
    let frontend: Frontend;
    beforeAll(async () => {
      frontend = await start(platform.url);
    });
    afterAll(() => frontend?.stop());

    /** As Vercel's edge hands a browser's request to the frontend. */
    const send = (who: Person, target: string, more: { method?: string; body?: string; headers?: string[] } = {}) => {
      const [ip, country] = PEOPLE[who];
      const told = ["Host", `127.0.0.1:${frontend.port}`, "x-real-ip", ip, "x-vercel-ip-country", country];
      return sendRaw(frontend.port, { ...more, target, headers: [...told, ...(more.headers ?? [])] });
    };

    test("the backend is told of the person, whatever the path", async () => {
      for (const target of ["/api/products?page=2&q=a%20b", "/api/a%20b/%C3%BC;v=1", "/api/p@x:1/(a)", "/api"]) {
        const answer = await send("ada", target);
        expect(answer.status, target).toBe(200);
        const { headers } = backend.requests.at(-1)!;
        expect(headers.get("x-forwarded-for"), target).toBe("203.0.113.7");
        expect(headers.get("x-country")).toBe("DE");
      }
    });

    test("bodies arrive, with the person", async () => {
      expect((await send("ada", "/api/orders", { method: "POST", body: "an order" })).status).toBe(200);
      const received = backend.requests.at(-1)!;
      expect(received.body.toString()).toBe("an order");
      expect(received.headers.get("x-forwarded-for")).toBe("203.0.113.7");
    });

    test("places and addresses are judged by the person", async () => {
      expect((await send("ada", "/api/eu")).status).toBe(200);
      expect((await send("lin", "/api/eu")).status).toBe(403);
      expect((await send("ada", "/api/office")).status).toBe(200);
      expect((await send("lin", "/api/office")).status).toBe(403);
    });

    test("a browser's own statement is replaced", async () => {
      const headers = ["x-gateway-client", "eyJpcCI6IjIwMy4wLjExMy43In0.AAAA"];
      expect((await send("lin", "/api/office", { headers })).status).toBe(403);
      expect((await send("ada", "/api/office", { headers })).status).toBe(200);
    });

    test("limits count each person", async () => {
      // One limit for all frontends of this host: each of them has people of its own.
      const person = (last: number) => ["x-real-ip", `192.0.2.${last + frontends.findIndex(([name]) => name === what) * 10}`];
      const few = async (last: number) =>
        (await sendRaw(frontend.port, { target: "/api/few", headers: ["Host", `127.0.0.1:${frontend.port}`, ...person(last)] }))
          .status;
      expect([await few(1), await few(1), await few(1), await few(2), await few(2), await few(2)]).toEqual([
        200, 200, 429, 200, 200, 429,
      ]);
    });
  });

  test("Vite's dev server: the backend is told of the person at the browser", async () => {
    const frontend = await startVite(platform.url);
    try {
      const answer = await sendRaw(frontend.port, { target: "/api/products?x", headers: ["Host", `127.0.0.1:${frontend.port}`] });
      expect(answer.status).toBe(200);
      expect(backend.requests.at(-1)!.target).toBe("/api/products?x");
      expect(backend.requests.at(-1)!.headers.get("x-forwarded-for")).toBe("127.0.0.1");
    } finally {
      await frontend.stop();
    }
  });
});

async function startNext(gatewayUrl: string): Promise<Frontend> {
  const folder = writeSnippets("next-snippet", "gateway-client.ts", "proxy.ts");
  writeFileSync(join(folder, "next.config.ts"), `export default { turbopack: { root: ${JSON.stringify(ROOT)} } };\n`);
  writeSnippets(join("next-snippet", "app"));
  writeFileSync(join(folder, "app", "layout.jsx"), "export default ({ children }) => <html><body>{children}</body></html>;\n");
  writeFileSync(join(folder, "app", "page.jsx"), "export default () => <p>shop</p>;\n");
  return startNextFrontend(folder, { GATEWAY_URL: gatewayUrl, GATEWAY_FRONTEND_SECRET: SECRET });
}

async function startAnyOther(gatewayUrl: string): Promise<Frontend> {
  const folder = writeSnippets("any-snippet", "gateway-client.ts", "to-gateway.ts");
  vi.stubEnv("GATEWAY_URL", gatewayUrl);
  vi.stubEnv("GATEWAY_FRONTEND_SECRET", SECRET);
  const { toGateway } = await import(/* @vite-ignore */ join(folder, "to-gateway.ts"));
  // What a framework does: a web Request of what came, and back again.
  const server: Server = createServer(async (request, response) => {
    const headers = new Headers(
      Object.entries(request.headers).filter(([name]) => !["connection", "host"].includes(name)) as [string, string][],
    );
    const body = request.method === "GET" ? null : (Readable.toWeb(request) as ReadableStream);
    const received = new Request(`http://shop.example${request.url}`, {
      method: request.method!,
      headers,
      body,
      duplex: "half",
    } as RequestInit);
    const caller = { ip: headers.get("x-real-ip") ?? undefined, country: headers.get("x-vercel-ip-country") ?? undefined };
    const answer: Response = await toGateway(received, caller);
    response.writeHead(answer.status, [...answer.headers].filter(([name]) => name !== "transfer-encoding").flat());
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    vi.unstubAllEnvs();
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  };
  return { port: (server.address() as AddressInfo).port, stop };
}

function startVite(gatewayUrl: string): Promise<Frontend> {
  const folder = writeSnippets("vite-snippet", "gateway-client.ts", "vite.config.ts");
  return startViteFrontend(folder, { GATEWAY_URL: gatewayUrl, GATEWAY_FRONTEND_SECRET: SECRET });
}
