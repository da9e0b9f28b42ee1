/** Where keys are read from, and keys that stand in the config. */
import { beforeEach, describe, expect, test } from "vitest";
import { digestOf } from "#lib/crypto/credential-digest.ts";
import { createMemoryStores, type MemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { gatewayOf, type Received, type TestGateway } from "../../policies/gateway.ts";
import { newKey } from "./keys-under-test.ts";

const config = {
  auth: { partners: { apiKey: {} } },
  defaults: { auth: "partners" },
  routes: [{ path: "/who", respond: { body: "${consumer.id}" } }, { path: "/write", scopes: "write" }, { path: "/other" }],
};

let stores: MemoryStores;
let nowMs: number;
let gateway: TestGateway;

beforeEach(() => {
  stores = createMemoryStores();
  nowMs = 1_800_000_000_000;
});

function added(prefix?: string): string {
  const { key, record } = newKey({}, prefix);
  stores.keys.put(record);
  return key;
}

function call(key: string, target = "/who", ip?: string): Promise<Received> {
  return gateway.send({ target, headers: { "x-api-key": key }, ip });
}

describe("keys of the config", () => {
  const OLD_KEY = "a key of another system";
  const { key, record } = newKey();
  beforeEach(() => {
    stores.keys.get = stores.keys.changes = () => {
      throw new Error("no store is asked");
    };
    gateway = gatewayOf(
      {
        ...config,
        auth: {
          partners: {
            apiKey: {
              digests: [
                {
                  name: "new",
                  digest: record.digest,
                  consumer: "ci",
                  scopes: "write",
                  ips: "${env.OFFICE}",
                  routes: ["/who", "/write"],
                },
                { name: "old", digest: digestOf(OLD_KEY), consumer: "legacy", expires: "2027-01-16" },
              ],
            },
          },
        },
      },
      { stores, now: () => nowMs, variables: { OFFICE: "192.0.2.0/24, 198.51.100.7" } },
    );
  });

  test("ask no store, and are judged by all that stands beside them", async () => {
    expect((await call(key, "/who", "198.51.100.7")).text).toBe("partners:ci");
    expect((await call(key, "/write", "192.0.2.1")).status).toBe(200);
    expect((await call(key, "/who", "203.0.113.1")).status).toBe(401);
    expect((await call(key, "/other", "192.0.2.1")).status).toBe(403);
    expect((await call(added())).status).toBe(401);
  });

  test("may be of any form in a field of their own, until they expire", async () => {
    expect((await call(OLD_KEY)).text).toBe("partners:legacy");
    expect((await gateway.send({ target: "/who", headers: { authorization: `Bearer ${OLD_KEY}` } })).status).toBe(401);
    nowMs = Date.parse("2027-01-16");
    expect((await call(OLD_KEY)).status).toBe(401);
  });
});

test.each([
  [{ query: "key" }, "/who?key=KEY", {}, "the query parameter `key`", 'ApiKey in="query", name="key"'],
  [{ cookie: "k" }, "/who", { cookie: "a=b; k=KEY" }, "the cookie `k`", 'ApiKey in="cookie", name="k"'],
  [{ header: "X-Partner" }, "/who", { "x-partner": "KEY" }, "`x-partner`", 'ApiKey in="header", name="x-partner"'],
  [{ header: "authorization" }, "/who", { authorization: "Bearer KEY" }, "`Authorization`", 'Bearer realm="frontdesk"'],
])("read from %j alone", async (options, target, headers, place, challenge) => {
  gateway = gatewayOf({ ...config, auth: { partners: { apiKey: options } } }, { stores, now: () => nowMs });
  const key = added();
  const filled = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value).replace("KEY", key)]));
  expect((await gateway.send({ target: target.replace("KEY", key), headers: filled })).text).toBe("partners:acme");
  const elsewhere = await call(key);
  expect(elsewhere.status).toBe(401);
  expect(JSON.parse(elsewhere.text).detail).toBe(`This route takes an API key in ${place}.`);
  expect(elsewhere.headers.get("www-authenticate")).toBe(challenge);
});

test("two kinds of keys in one field are told apart by their prefixes", async () => {
  gateway = gatewayOf(
    {
      auth: { shops: { apiKey: { prefix: "shop" } }, apps: { apiKey: { prefix: "app" } } },
      routes: [{ path: "/who", auth: ["shops", "apps"], respond: { body: "${consumer.id}" } }],
    },
    { stores, now: () => nowMs },
  );
  expect((await call(added("shop"))).text).toBe("shops:acme");
  expect((await call(added("app"))).text).toBe("apps:acme");
  expect((await call(added("fd"))).status).toBe(401);
});
