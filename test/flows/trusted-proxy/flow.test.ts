/** The Node host behind a proxy that it trusts: who calls is what the proxy says, and no more than that. (On Vercel the platform says it.) */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, startBackend } from "../../support/backend.ts";
import { configIn } from "../../support/describe-hosts.ts";
import { type HostProcess, startHost } from "../../support/host-process.ts";
import { type RawAnswer, sendRaw } from "../../support/raw-client.ts";

const config = configIn(import.meta.dirname);
let backend: Backend;
let host: HostProcess;
beforeAll(async () => {
  backend = await startBackend();
  host = await startHost("node", { config, env: { BACKEND_URL: backend.url, GATEWAY_TRUST_PROXY: "10.0.0.0/8" } });
});
afterAll(async () => {
  await host?.stop();
  backend?.close();
});

/** The test is the proxy: it connects from 127.0.0.1. */
const relay = (target: string, ...headers: string[]): Promise<RawAnswer> => sendRaw(host.port, { target, headers });
async function told(...headers: string[]) {
  await relay("/shop", ...headers);
  const { headers: fields } = await backend.last();
  const of = (name: string) => fields.all(name).join();
  return { ip: of("x-forwarded-for"), proto: of("x-forwarded-proto"), host: of("x-forwarded-host"), forwarded: of("forwarded") };
}

describe("what the backend hears", () => {
  test("the caller that the proxy names, as the one hop that counts", async () => {
    expect(
      await told("X-Forwarded-For", "203.0.113.7", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "shop.example"),
    ).toEqual({
      ip: "203.0.113.7",
      proto: "https",
      host: "shop.example",
      forwarded: 'for=203.0.113.7;host="shop.example";proto=https',
    });
  });

  test("not what the caller wrote before the proxy did", async () => {
    expect((await told("X-Forwarded-For", "192.0.2.66, 203.0.113.7")).ip).toBe("203.0.113.7");
    expect((await told("X-Forwarded-For", "192.0.2.66", "X-Forwarded-For", "203.0.113.7")).ip).toBe("203.0.113.7");
  });

  test("the caller behind a second proxy, which a variable names", async () => {
    expect((await told("X-Forwarded-For", "203.0.113.7, 10.1.2.3")).ip).toBe("203.0.113.7");
  });

  test("Forwarded as well as X-Forwarded-For, but nobody where they differ", async () => {
    expect((await told("Forwarded", 'for="[2001:db8::1]";proto=https')).ip).toBe("2001:db8::1");
    expect((await told("Forwarded", "for=192.0.2.66", "X-Forwarded-For", "203.0.113.7")).ip).toBe("");
  });

  test("the proxy itself where it names nobody", async () => {
    expect(await told()).toMatchObject({ ip: "127.0.0.1", proto: "http", host: "gateway.example" });
  });
});

test("rules for addresses go by the caller, and an unknown one is not let in", async () => {
  const status = async (...headers: string[]) => (await relay("/office/a", ...headers)).status;
  expect(await status("X-Forwarded-For", "203.0.113.7")).toBe(200);
  expect(await status("X-Forwarded-For", "203.0.113.7, 192.0.2.66")).toBe(403);
  expect(await status("X-Forwarded-For", "203.0.113.7, garbage")).toBe(403);
  expect(await status()).toBe(403);
});

test("without trust the same words are the caller's own", async () => {
  const other = await startHost("node", {
    config: configIn(`${import.meta.dirname}/../plain-forward`),
    env: { BACKEND_URL: backend.url },
  });
  await sendRaw(other.port, { target: "/a", headers: ["X-Forwarded-For", "203.0.113.7", "X-Forwarded-Proto", "https"] });
  const { headers } = await backend.last();
  expect([headers.get("x-forwarded-for"), headers.get("x-forwarded-proto")]).toEqual(["127.0.0.1", "http"]);
  await other.stop();
});
