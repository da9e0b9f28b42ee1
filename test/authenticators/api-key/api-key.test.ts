import { beforeEach, describe, expect, test } from "vitest";
import { keyMemoryOf } from "#lib/authenticators/api-key/key-memory.ts";
import type { KeyRecord } from "#lib/contract/stores/keys.ts";
import { type StoreReply, unavailable } from "#lib/contract/stores/reply.ts";
import type { Stores } from "#lib/contract/stores/stores.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { gatewayOf, type Received, type TestGateway } from "../../policies/gateway.ts";
import { newKey } from "./keys-under-test.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const BAD_CHECKSUM = "fd_live_000000000000000000000000000000000000";

const config = {
  auth: { partners: { apiKey: {} }, people: { basic: { users: { ada: "${env.ADA}" } } } },
  defaults: { auth: "partners" },
  routes: [
    { path: "/who", respond: { body: "${consumer.id}" } },
    { path: "/claims", respond: { body: "${claims.sub} ${claims.plan.level}" } },
    { path: "/write", scopes: "write" },
    { path: "/other" },
    { path: "/either", auth: ["people", "partners"] },
    { path: "/news", auth: { optional: "partners" } },
    { path: "/open", auth: "none" },
  ],
};

let stores: Stores;
let memory: ReturnType<typeof createMemoryStores>;
let nowMs: number;
let asked: string[];
let away: boolean;
let gateway: TestGateway;

beforeEach(() => {
  memory = createMemoryStores({ maxKeys: 200_000 });
  const { keys } = memory;
  asked = [];
  away = false;
  nowMs = 1_800_000_000_000;
  // Another turn of the event loop for each question, as with Redis.
  const ask = async <T>(name: string, work: () => StoreReply<T>): Promise<StoreReply<T>> => {
    asked.push(name);
    const reply = work();
    await undefined;
    return away ? unavailable("timeout") : reply;
  };
  stores = {
    ...memory,
    keys: {
      get: (digest) => ask("get", () => keys.get(digest)),
      changes: (since) => ask("changes", () => keys.changes(since)),
      used: (digest, ms) => ask("used", () => keys.used(digest, ms)),
      find: (id) => keys.find(id),
      list: (query) => keys.list(query),
      put: (record) => keys.put(record),
      replace: (record) => keys.replace(record),
      remove: (id) => keys.remove(id),
      removeExpired: (ms) => keys.removeExpired(ms),
      revoke: (id, ms) => keys.revoke(id, ms),
    },
  };
  gateway = gatewayOf(config, { stores, now: () => nowMs, variables: { ADA: "secret" } });
});

function added(more: Partial<KeyRecord> = {}, prefix?: string): { key: string; record: KeyRecord } {
  const made = newKey(more, prefix);
  memory.keys.put(made.record);
  return made;
}

function call(key: string, target = "/who", ip?: string): Promise<Received> {
  return gateway.send({ target, headers: { "x-api-key": key }, ip });
}

/** Of the questions, those that a request waits for. */
const waitedFor = () => asked.splice(0).filter((question) => question !== "used");

describe("who calls", () => {
  test("is the key's consumer, by either field", async () => {
    const { key } = added();
    expect((await call(key)).text).toBe("partners:acme");
    expect((await gateway.send({ target: "/who", headers: { authorization: `bearer ${key}` } })).text).toBe("partners:acme");
  });

  test("without a key: what is taken, and a challenge", async () => {
    const answer = await gateway.send({ target: "/who" });
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text)).toMatchObject({
      code: "credentials-missing",
      detail: "This route takes an API key in `x-api-key` or `Authorization`.",
    });
    expect(answer.headers.all("www-authenticate")).toEqual(['Bearer realm="frontdesk"']);
  });

  test("claims are those that the config names, and metadata can't choose who calls", async () => {
    const { key } = added({ metadata: { plan: { level: 3 }, sub: "globex", secret: "x" } });
    expect((await call(key, "/claims")).text).toBe("acme 3");
  });

  test("its scopes decide", async () => {
    expect((await call(added({ scopes: ["read", "write"] }).key, "/write")).status).toBe(200);
    const refused = await call(added({ scopes: ["read"] }).key, "/write");
    expect(refused.status).toBe(403);
    expect(refused.headers.get("www-authenticate")).toBe('Bearer realm="frontdesk", error="insufficient_scope", scope="write"');
    expect((await call(added().key, "/write")).status).toBe(403);
  });

  test("two keys in one field, or a Bearer token of somebody else, are no key", async () => {
    const { key } = added();
    expect((await call(`${key}, ${key}`)).status).toBe(401);
    const other = await gateway.send({ target: "/who", headers: { authorization: "Bearer eyJhbGciOiJub25lIn0.e30." } });
    expect(JSON.parse(other.text).code).toBe("credentials-missing");
  });

  test("beside other authenticators, and where it is optional", async () => {
    const { key } = added();
    expect((await call(key, "/either")).status).toBe(200);
    expect((await gateway.send({ target: "/news" })).status).toBe(200);
    expect((await call(BAD_CHECKSUM, "/news")).status).toBe(401);
    expect((await call(BAD_CHECKSUM, "/open")).status).toBe(200);
  });
});

describe("keys that are refused", () => {
  const bad = async (more: Partial<KeyRecord>, ip?: string) => {
    const answer = await call(added(more).key, "/who", ip);
    return { answer, reason: answer.record.reason };
  };

  test("all hear the same as a key that does not exist", async () => {
    const { requestId: _, ...unknown } = JSON.parse((await call(newKey().key)).text);
    expect(unknown).toMatchObject({ status: 401, code: "credentials-invalid" });
    for (const [more, said] of [
      [{ revokedMs: nowMs - 1 }, "revoked"],
      [{ disabled: true }, "disabled"],
      [{ expiresMs: nowMs }, "expired"],
      [{ rotation: { successor: "k", rotatedMs: 0, sunsetMs: nowMs } }, "retired"],
      [
        { rotation: { successor: "k", rotatedMs: 0, sunsetMs: nowMs + 1, quietMs: HOUR_MS }, lastUsedMs: nowMs - HOUR_MS },
        "retired",
      ],
      [{ allowedIps: ["192.0.2.0/24"] }, "not taken from an unknown address"],
    ] as const) {
      const { answer, reason } = await bad(more);
      const { requestId: __, ...heard } = JSON.parse(answer.text);
      expect(heard).toEqual(unknown);
      expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="frontdesk", error="invalid_token"');
      expect(reason).toContain(said);
    }
  });

  test("a typo asks no store, and its owner is told", async () => {
    const { key } = added();
    const answer = await call(`${key.slice(0, -1)}${key.endsWith("a") ? "b" : "a"}`);
    expect(JSON.parse(answer.text)).toMatchObject({
      status: 401,
      detail: expect.stringContaining("a character is missing or wrong"),
    });
    expect(asked).toEqual([]);
  });

  test("addresses and routes that a key is bound to", async () => {
    const { key } = added({ allowedIps: ["192.0.2.0/24", "2001:db8::/32"], allowedRoutes: ["/who"] });
    expect((await call(key, "/who", "192.0.2.9")).status).toBe(200);
    expect((await call(key, "/who", "2001:db8::1")).status).toBe(200);
    expect((await call(key, "/who", "198.51.100.1")).status).toBe(401);
    const elsewhere = await call(key, "/other", "192.0.2.9");
    expect(elsewhere.status).toBe(403);
    expect(JSON.parse(elsewhere.text)).toMatchObject({ code: "not-allowed" });
    expect(elsewhere.record.reason).toMatch(/^partners: the key key_\d+ is not for this route$/);
  });

  test("neither a key nor its digest stands in a record", async () => {
    for (const { key, record } of [added(), newKey(), added({ disabled: true })]) {
      const answer = await call(key);
      for (const secret of [key, record.digest, key.slice(20)]) {
        expect(JSON.stringify(answer.record)).not.toContain(secret);
        expect(answer.text).not.toContain(secret);
      }
    }
  });

  test("an oversized one is not even looked at", async () => {
    expect((await call(`fd_live_${"a".repeat(10_000)}`)).status).toBe(401);
    expect(asked).toEqual([]);
  });
});

describe("the store", () => {
  test("is asked once for a new key, and not for one that is remembered", async () => {
    const { key } = added();
    await call(key);
    expect(waitedFor()).toEqual(["changes", "get"]);
    for (let i = 0; i < 100; i++) expect((await call(key)).status).toBe(200);
    expect(asked).toEqual([]);
  });

  test("is asked once in four seconds for changes, whatever the load", async () => {
    const keys = Array.from({ length: 5 }, () => added().key);
    for (const key of keys) await call(key);
    waitedFor();
    for (let ms = 0; ms < 20_000; ms += 100) {
      nowMs += 100;
      await call(keys[(ms / 100) % 5]!);
    }
    expect(waitedFor()).toEqual(["changes", "changes", "changes", "changes", "changes"]);
  });

  test("an unknown key is remembered too, and known once it exists", async () => {
    const { key, record } = newKey();
    await call(key);
    waitedFor();
    for (let i = 0; i < 100; i++) expect((await call(key)).status).toBe(401);
    expect(asked).toEqual([]);
    memory.keys.put(record);
    nowMs += 5001;
    expect((await call(key)).status).toBe(200);
  });

  test("made-up keys can't fill the memory, and push out no key in use", async () => {
    const { key } = added();
    await call(key);
    for (let i = 0; i < 10_050; i++) {
      if (i % 1000 === 0) await call(key);
      await call(newKey().key);
    }
    expect(keyMemoryOf(stores).size).toBe(10_000);
    waitedFor();
    await call(key);
    expect(waitedFor()).toEqual([]);
  });

  test.each(["revoke", "disable", "remove"] as const)("%s bites within 5 seconds", async (how) => {
    const { key, record } = added();
    expect((await call(key)).status).toBe(200);
    if (how === "revoke") memory.keys.revoke(record.id, nowMs);
    else if (how === "remove") memory.keys.remove(record.id);
    else memory.keys.replace({ ...record, version: 2, disabled: true });
    nowMs += 5000;
    expect((await call(key)).status).toBe(401);
  });

  test("away: a new key is 503, a remembered one goes on for 5 seconds and no longer", async () => {
    const { key } = added();
    await call(key);
    away = true;
    const unknown = await call(added().key);
    expect(unknown.status).toBe(503);
    expect(JSON.parse(unknown.text)).toMatchObject({ code: "store-unavailable" });
    expect(unknown.headers.get("retry-after")).toBe("1");
    for (const ms of [3000, 4500, 5000]) {
      nowMs = 1_800_000_000_000 + ms;
      expect((await call(key)).status).toBe(200);
    }
    nowMs += 1;
    expect((await call(key)).status).toBe(503);
    expect((await call(key, "/news")).status).toBe(503);
    away = false;
    expect((await call(key)).status).toBe(200);
  });

  test("what is read while it changes is used once and not remembered", async () => {
    const { key, record } = added();
    const first = call(key);
    // The record has been read, its answer is on the way; the instance hears of the revocation before it comes.
    memory.keys.revoke(record.id, nowMs);
    keyMemoryOf(stores).forget(record.digest);
    expect((await first).status).toBe(200);
    expect((await call(key)).status).toBe(401);
  });

  test("a change that is told with the answer counts before it", async () => {
    const { key, record } = added();
    await call(key);
    await call(added().key);
    memory.keys.revoke(record.id, nowMs);
    nowMs += 4500;
    const together = await Promise.all([call(key), call(added().key)]);
    expect(together.map(({ status }) => status)).toEqual([401, 200]);
  });

  test("a use is noted once a minute, and never holds up a request", async () => {
    const { key, record } = added();
    const uses = () => asked.splice(0).filter((question) => question === "used").length;
    for (let i = 0; i < 10; i++) await call(key);
    expect(uses()).toBe(1);
    expect(memory.keys.get(record.digest)).toMatchObject({ value: { lastUsedMs: nowMs } });
    for (let ms = 0; ms < 120_000; ms += 1000) {
      nowMs += 1000;
      await call(key);
    }
    expect(uses()).toBe(2);
  });

  test("a refused key was not used", async () => {
    await call(added({ disabled: true }).key);
    expect(asked).not.toContain("used");
  });

  test("among 100,000 keys each costs one look-up", async () => {
    const keys = Array.from({ length: 100_000 }, () => added().key);
    for (const key of [keys[0]!, keys[50_000]!, keys.at(-1)!]) {
      asked = [];
      expect((await call(key)).status).toBe(200);
      expect(waitedFor().filter((question) => question === "get")).toEqual(["get"]);
      await call(key);
      expect(waitedFor()).toEqual([]);
    }
  });
});

describe("a key that is being replaced", () => {
  const rotation = { successor: "key_new", rotatedMs: 1_799_990_000_000, sunsetMs: 1_800_000_600_000 };

  test("works, and its callers are told until when", async () => {
    const { headers, status } = await call(added({ rotation }).key);
    expect(status).toBe(200);
    expect(headers.get("deprecation")).toBe("@1799990000");
    expect(headers.get("sunset")).toBe("Fri, 15 Jan 2027 08:10:00 GMT");
    expect((await call(added().key)).headers.has("deprecation")).toBe(false);
  });

  test("they are told on refusals too", async () => {
    expect((await call(added({ rotation }).key, "/write")).headers.has("sunset")).toBe(true);
  });

  test("it ends at the sunset, remembered or not", async () => {
    const { key } = added({ rotation });
    nowMs = rotation.sunsetMs - 1;
    expect((await call(key)).status).toBe(200);
    nowMs += 1;
    expect((await call(key)).status).toBe(401);
  });

  test("it ends once it was quiet for long enough, and stays ended", async () => {
    const { key } = added({ rotation: { ...rotation, rotatedMs: nowMs, sunsetMs: nowMs + 1000 * HOUR_MS, quietMs: HOUR_MS } });
    for (let used = 0; used < 3; used++) {
      nowMs += HOUR_MS - 2 * MINUTE_MS;
      expect((await call(key)).status).toBe(200);
    }
    nowMs += HOUR_MS;
    expect((await call(key)).status).toBe(401);
    nowMs += MINUTE_MS;
    expect((await call(key)).status).toBe(401);
  });
});
