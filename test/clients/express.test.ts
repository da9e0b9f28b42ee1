/** The Express backend of docs/assertions.md, run as it stands there: it believes the gateway, and nobody else. */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAssertions } from "#lib/backends/assertions.ts";
import { blocksOf, ROOT, readDocument } from "../docs/documents.ts";
import { type Backend, startBackend } from "../support/backend.ts";
import { freePort } from "../support/free-port.ts";
import { run } from "../support/host-process.ts";
import { until } from "../support/until.ts";
import { type NodeGateway, startNodeGateway } from "./node-gateway.ts";

const [OLD, NEW, STRANGE] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte)) as [Buffer, Buffer, Buffer];
const ADA = `Basic ${Buffer.from("ada:correct horse").toString("base64")}`;
// Inside of the repository, so that the snippet finds express and jose.
const folder = join(ROOT, ".frontdesk", "express-snippet");

let stock: Backend;
let express: ChildProcess;
let expressUrl: string;
let gatewayPort: number;
let gateway: NodeGateway;

beforeAll(async () => {
  stock = await startBackend();
  const expressPort = await freePort();
  gatewayPort = await freePort();
  expressUrl = `http://127.0.0.1:${expressPort}`;
  gateway = await startGateway(OLD, NEW);
  const snippet = blocksOf(readDocument("docs/assertions.md")).find(({ text }) => text.includes('from "express"'))!;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "backend.mjs"), snippet.text);
  const env = { GATEWAY_URL: gateway.url, PORT: String(expressPort) };
  express = run([join(folder, "backend.mjs")], folder, env).child;
  await until(
    () =>
      fetch(expressUrl).then(
        () => true,
        () => false,
      ),
    "the Express backend",
  );
});
afterAll(async () => {
  express?.kill();
  await gateway?.stop();
  stock?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("a known caller reaches it through the gateway, and it knows who that is", async () => {
  const answer = await fetch(`${gateway.url}/orders/1`, { headers: { authorization: ADA } });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ caller: "staff:ada", scope: "orders:read" });
});

test("nobody reaches it past the gateway", async () => {
  for (const headers of [{}, { "x-gateway-consumer": "staff:ada" }, { "x-gateway-assertion": "x" }, { authorization: ADA }])
    expect(await statusOf(headers)).toBe(401);
});

test("an unknown caller has no assertion", async () => {
  expect((await fetch(`${gateway.url}/open/orders/1`)).status).toBe(401);
  expect((await fetch(`${gateway.url}/open/orders/1`, { headers: { "x-gateway-assertion": signed() } })).status).toBe(401);
});

test("one that is right serves past the gateway too: who has it is the caller, while it lasts", async () => {
  expect(await statusOf({ "x-gateway-assertion": signed() })).toBe(200);
});

test.each([
  ["one that has run out", () => signed({ atMs: Date.now() - 70_000 })],
  ["one of another issuer", () => signed({ issuer: "https://evil.example" })],
  ["one of another key", () => signed({ secret: STRANGE })],
  ["one for another audience", () => signed({ audience: "stock" })],
])("%s is refused", async (_, token) => expect(await statusOf({ "x-gateway-assertion": token() })).toBe(401));

test("one that another backend got is refused", async () => {
  await fetch(`${gateway.url}/stock/1`, { headers: { authorization: ADA } });
  const taken = stock.requests.at(-1)!.headers.get("x-gateway-assertion")!;
  expect(taken).toMatch(/^ey/);
  expect(await statusOf({ "x-gateway-assertion": taken })).toBe(401);
});

test("keys rotate without a request refused", async () => {
  const held = signed({ secret: OLD });
  await gateway.stop();
  gateway = await startGateway(NEW, OLD);
  const answer = await fetch(`${gateway.url}/orders/1`, { headers: { authorization: ADA } });
  expect(answer.status).toBe(200);
  expect(await statusOf({ "x-gateway-assertion": held })).toBe(200);
});

function startGateway(...secrets: Buffer[]): Promise<NodeGateway> {
  const config = {
    backends: { orders: { url: expressUrl, assertion: true }, stock: { url: stock.url, assertion: true } },
    auth: { staff: { basic: { users: { ada: { password: "${env.ADA_PASSWORD}", scopes: "orders:read" } } } } },
    defaults: { auth: "staff" },
    routes: [
      { path: "/orders/*", backend: "orders" },
      { path: "/stock/*", backend: "stock" },
      { path: "/open/orders/*", auth: "none", backend: "orders", stripPrefix: "/open" },
    ],
  };
  return startNodeGateway(config, {
    PORT: String(gatewayPort),
    GATEWAY_URL: `http://127.0.0.1:${gatewayPort}`,
    GATEWAY_SECRET: secrets.map((secret) => secret.toString("base64url")).join(","),
    ADA_PASSWORD: "correct horse",
  });
}

/** As the gateway would sign it, but for what the test says. */
function signed({ secret = OLD, audience = "orders", issuer = gateway.url, atMs = Date.now() } = {}): string {
  const assertion = { audience, issuer, ttlSeconds: 60, header: "x-gateway-assertion", claims: [] };
  const environment = { secrets: [secret], adminToken: undefined, url: undefined };
  const { byBackend } = createAssertions({ backends: [{ name: "orders", assertion }] }, environment, () => atMs);
  return byBackend.get("orders")!.valueFor({ id: "staff:ada", authenticator: "staff" });
}

async function statusOf(headers: Readonly<Record<string, string>>): Promise<number> {
  return (await fetch(`${expressUrl}/orders/1`, { headers })).status;
}
