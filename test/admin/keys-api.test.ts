import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { type Api, type Call, type Done, runOperation } from "#lib/admin/api.ts";
import { createAdminApi } from "#lib/admin/create-api.ts";
import { faultsIn } from "#lib/admin/json-schema.ts";
import { KeyFormat } from "#lib/authenticators/api-key/key-format.ts";
import { keyMemoryOf } from "#lib/authenticators/api-key/key-memory.ts";
import type { Json } from "#lib/contract/json.ts";
import type { Refusal } from "#lib/contract/problem.ts";
import type { Keys } from "#lib/contract/stores/keys.ts";
import { unavailable } from "#lib/contract/stores/reply.ts";
import type { Stores } from "#lib/contract/stores/stores.ts";
import { digestOf } from "#lib/crypto/credential-digest.ts";
import { createMemoryStores, type MemoryStores } from "#lib/stores/memory/memory-stores.ts";

const START_MS = Date.parse("2027-01-01T00:00:00Z");
const DAY_MS = 86_400_000;
const authenticator = (name: string, prefix: string, keys: Json = null) => ({
  name,
  kind: "apiKey",
  options: { prefix, sources: [], keys },
});
const ACTOR: Call["actor"] = { by: "operator", ip: "192.0.2.1", userAgent: "vitest", requestId: "r1" };

/** The scopes that a route asks for, and the tiers that it counts by. */
const STEPS = [
  { policy: "authorize", options: { scopes: { need: "all", names: ["orders:read", "orders:write", "a", "b"] } } },
  { policy: "limit", options: { tiers: { standard: "basic", byName: { basic: [], pro: [] } } } },
];

let stores: MemoryStores;
/** What the API works on. */
let shared: Stores;
let nowMs: number;
let logged: string[];
let api: Api;

/** `over` stands in place of what the key store would do. */
function apiWith(authenticators: unknown[], over: Partial<Keys> = {}): Api {
  const own = new Map<PropertyKey, unknown>(Object.entries(over));
  const keys = new Proxy(stores.keys, { get: (target, name: keyof Keys) => own.get(name) ?? target[name].bind(target) });
  shared = { ...stores, keys };
  const context = {
    stores: shared,
    log: { info: () => {}, warn: () => {}, error: (message: string) => void logged.push(message) },
    config: { authenticators, routes: [{ path: "/orders/*", id: "/orders/*", variants: [{ steps: STEPS }] }] } as never,
    now: () => nowMs,
    random: (bytes: number) => new Uint8Array(randomBytes(bytes)),
  };
  return createAdminApi(context, {} as never);
}

beforeEach(() => {
  stores = createMemoryStores();
  nowMs = START_MS;
  logged = [];
  api = apiWith([authenticator("partners", "shop"), authenticator("ours", "fd", [])]);
});

async function call(method: string, target: string, body: unknown = {}): Promise<Done | Refusal> {
  const [path = "", query = ""] = target.split("?");
  const found = api.find(method, path.split("/"));
  if (!found || "allow" in found) throw new Error(`no operation for ${method} ${target}`);
  const result = await runOperation(found, { query: new URLSearchParams(query), body, actor: ACTOR });
  const { answer } = found.operation;
  // What is answered is what the OpenAPI document promises, and nothing that it does not name.
  if (!("code" in result) && answer) expect(faultsIn(result.body, answer)).toEqual([]);
  return result;
}

async function ok(method: string, target: string, body?: unknown): Promise<Record<string, Json>> {
  const result = await call(method, target, body);
  expect(result).not.toHaveProperty("code");
  return (result as Done).body as Record<string, Json>;
}

const create = (more: object = {}) => ok("POST", "keys", { name: "test", consumer: "acme", ...more });

describe("making a key", () => {
  test("shows it once, with what it is good for; the store has its digest alone", async () => {
    const { key, id, ...made } = await create({
      owner: "ann",
      scopes: ["orders:read"],
      tier: "pro",
      metadata: { plan: { level: 3 } },
      ips: ["192.0.2.0/24", "::ffff:198.51.100.7"],
      routes: ["/orders/*"],
      expiresAt: "2027-06-01T00:00:00+02:00",
    });
    expect(new KeyFormat("shop").fits(String(key))).toBe(true);
    expect(made).toEqual({
      name: "test",
      consumer: "acme",
      owner: "ann",
      scopes: ["orders:read"],
      tier: "pro",
      metadata: { plan: { level: 3 } },
      ips: ["192.0.2.0/24", "198.51.100.7"],
      routes: ["/orders/*"],
      hint: `${String(key).slice(0, 14)}…`,
      status: "active",
      createdAt: "2027-01-01T00:00:00.000Z",
      expiresAt: "2027-05-31T22:00:00.000Z",
    });
    const all = JSON.stringify([stores.keys.list({ limit: 10 }), await call("GET", "audit"), await call("GET", `keys/${id}`)]);
    expect(all).not.toContain(key);
    expect(stores.keys.get(digestOf(String(key)))).toMatchObject({ value: { id } });
    expect(JSON.stringify(await call("GET", `keys/${id}`))).not.toContain(digestOf(String(key)));
  });

  test.each([
    [{}, ["/name", "/consumer"]],
    [{ name: "", consumer: 7 }, ["/name", "/consumer"]],
    [{ name: "a", consumer: "b", scope: "x", "a/b": 1 }, ["/scope", "/a~1b"]],
    [{ name: "a", consumer: "b", scopes: ["a b", 'c"'] }, ["/scopes/0", "/scopes/1"]],
    [{ name: "a", consumer: "b", ips: ["10.0.0.1/8", "x", "::1"] }, ["/ips/0", "/ips/1"]],
    [{ name: "a", consumer: "b", routes: ["/order"] }, ["/routes/0"]],
    [{ name: "a", consumer: "b", tier: "gold", scopes: ["orders:read", "orders:red"] }, ["/tier", "/scopes/1"]],
    [{ name: "a", consumer: "b", expiresAt: "2026-12-31T00:00:00Z" }, ["/expiresAt"]],
    [{ name: "a", consumer: "b", expiresAt: "2027-02-30T00:00:00Z" }, ["/expiresAt"]],
    [{ name: "a", consumer: "b", metadata: { text: "x".repeat(5000) } }, ["/metadata"]],
    [{ name: "a", consumer: "b", metadata: [] }, ["/metadata"]],
    [{ name: "a", consumer: "b", authenticator: "ours" }, ["/authenticator"]],
    [[], [""]],
    ["a", [""]],
    [null, [""]],
  ])("%j is wrong at %j", async (body, pointers) => {
    const refusal = (await call("POST", "keys", body)) as Refusal;
    expect(refusal.code).toBe("request-invalid");
    expect(refusal.errors?.map(({ pointer }) => pointer)).toEqual(pointers);
    expect(stores.keys.list({ limit: 10 })).toMatchObject({ value: { items: [] } });
  });

  test("faults never repeat a value: it may be a key", async () => {
    const { key } = await create();
    expect(
      JSON.stringify(await call("POST", "keys", { name: "a", consumer: "b", ips: [key], tier: 1, expiresAt: key })),
    ).not.toContain(key);
  });

  test("where the config has several for the store, it must be said whose; where it has none, there is no way", async () => {
    api = apiWith([authenticator("partners", "shop"), authenticator("apps", "app")]);
    expect(await call("POST", "keys", { name: "a", consumer: "b" })).toMatchObject({
      errors: [{ detail: "there are several: say one of partners, apps" }],
    });
    expect((await create({ authenticator: "apps" })).hint).toMatch(/^app_live_/);
    api = apiWith([authenticator("ours", "fd", [])]);
    expect(await call("POST", "keys", { name: "a", consumer: "b" })).toMatchObject({ code: "request-invalid" });
  });

  test("a full store is not a success", async () => {
    api = apiWith([authenticator("partners", "shop")], { put: () => unavailable("error") });
    expect(await call("POST", "keys", { name: "a", consumer: "b" })).toMatchObject({ code: "store-unavailable" });
  });
});

describe("lists", () => {
  test("page by page, newest first, also of one consumer", async () => {
    const ids: string[] = [];
    for (const consumer of ["acme", "globex", "acme"]) {
      nowMs += 1000;
      ids.unshift(String((await create({ consumer })).id));
    }
    const first = await ok("GET", "keys?limit=2");
    expect((first.items as { id: string }[]).map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const second = await ok("GET", `keys?limit=2&cursor=${encodeURIComponent(String(first.next))}`);
    expect(second).toMatchObject({ items: [{ id: ids[2] }], next: null });
    expect((await ok("GET", "keys?consumer=acme")).items).toHaveLength(2);
  });

  test.each(["limit=0", "limit=201", "limit=x", "limit=1&limit=2", "cursor=../x", "cursor=", "page=2"])(
    "?%s is refused",
    async (query) => {
      expect(await call("GET", `keys?${query}`)).toMatchObject({ code: "request-invalid" });
    },
  );
});

describe("changing a key", () => {
  test("takes what is said, and null away", async () => {
    const { id } = await create({ tier: "pro", scopes: ["a"], owner: "ann", ips: ["::1"] });
    const changed = await ok("PATCH", `keys/${id}`, { name: "renamed", scopes: ["b"], tier: null, ips: null });
    expect(changed).toMatchObject({ name: "renamed", scopes: ["b"], owner: "ann" });
    expect(changed).not.toHaveProperty("tier");
    expect(changed).not.toHaveProperty("ips");
    expect(await ok("GET", `keys/${id}`)).toEqual(changed);
    expect(await call("PATCH", `keys/${id}`, { consumer: "globex" })).toMatchObject({ errors: [{ pointer: "/consumer" }] });
  });

  test("two at once: neither is lost", async () => {
    const { id } = await create();
    await Promise.all([call("POST", `keys/${id}/disable`), call("PATCH", `keys/${id}`, { name: "renamed" })]);
    expect(await ok("GET", `keys/${id}`)).toMatchObject({ name: "renamed", status: "disabled" });
  });

  test("one that is changed all the time is a conflict", async () => {
    const { id } = await create();
    api = apiWith([authenticator("partners", "shop")], { replace: () => ({ state: "ok", value: false }) });
    expect(await call("PATCH", `keys/${id}`, { name: "x" })).toMatchObject({ code: "conflict" });
  });

  test("disabled and enabled; revoked for good; removed", async () => {
    const { id, key } = await create();
    expect(await ok("POST", `keys/${id}/disable`)).toMatchObject({ status: "disabled" });
    expect(await ok("POST", `keys/${id}/enable`)).toMatchObject({ status: "active" });
    nowMs += 1000;
    expect(await ok("POST", `keys/${id}/revoke`)).toMatchObject({ status: "revoked", revokedAt: "2027-01-01T00:00:01.000Z" });
    nowMs += 1000;
    expect(await ok("POST", `keys/${id}/revoke`)).toMatchObject({ revokedAt: "2027-01-01T00:00:01.000Z" });
    expect(await call("POST", `keys/${id}/enable`)).toMatchObject({ code: "conflict" });
    await ok("DELETE", `keys/${id}`);
    expect(stores.keys.get(digestOf(String(key)))).toEqual({ state: "ok", value: undefined });
    for (const [method, path] of [
      ["GET", ""],
      ["PATCH", ""],
      ["DELETE", ""],
      ["POST", "/revoke"],
      ["POST", "/rotate"],
      ["POST", "/disable"],
    ] as const)
      expect(await call(method, `keys/${id}${path}`)).toMatchObject({ code: "not-found" });
  });

  test.each([
    ["PATCH", ""],
    ["DELETE", ""],
    ["POST", "/disable"],
    ["POST", "/revoke"],
    ["POST", "/rotate"],
  ])("the instance on which it is made forgets at once: %s %s", async (method, path) => {
    const { id, key } = await create();
    const digest = digestOf(String(key));
    const memory = keyMemoryOf(shared);
    memory.learn({ mark: 1, digests: [] }, memory.ask(nowMs));
    memory.keep(digest, undefined, memory.ask(nowMs), nowMs);
    expect(memory.find(digest, nowMs)).toBeDefined();
    await ok(method, `keys/${id}${path}`);
    expect(memory.find(digest, nowMs)).toBeUndefined();
  });
});

describe("replacing a key", () => {
  test("its successor has the same rights and life; the old one is told its end", async () => {
    const rights = { scopes: ["a"], tier: "pro", metadata: { x: 1 }, ips: ["::1"], routes: ["/orders/*"], owner: "ann" };
    const old = await create({ ...rights, expiresAt: "2027-01-31T00:00:00Z" });
    nowMs += 10 * DAY_MS;
    const fresh = await ok("POST", `keys/${old.id}/rotate`, { overlap: "2d", quiet: "12h" });
    expect(fresh).toMatchObject({
      ...rights,
      name: "test",
      consumer: "acme",
      status: "active",
      expiresAt: "2027-02-10T00:00:00.000Z",
    });
    expect(new KeyFormat("shop").fits(String(fresh.key))).toBe(true);
    expect(fresh.key).not.toBe(old.key);
    expect(await ok("GET", `keys/${old.id}`)).toMatchObject({
      status: "retiring",
      rotation: {
        successor: fresh.id,
        rotatedAt: "2027-01-11T00:00:00.000Z",
        sunsetAt: "2027-01-13T00:00:00.000Z",
        quietSeconds: 43_200,
      },
    });
    nowMs += DAY_MS / 2;
    expect(await ok("GET", `keys/${old.id}`)).toMatchObject({ status: "retired" });
  });

  test("seven days, unless it is said", async () => {
    const { id } = await create();
    await ok("POST", `keys/${id}/rotate`);
    expect(await ok("GET", `keys/${id}`)).toMatchObject({ rotation: { sunsetAt: "2027-01-08T00:00:00.000Z" } });
  });

  test("once, and only a key that is in use", async () => {
    const { id } = await create();
    await ok("POST", `keys/${id}/rotate`);
    expect(await call("POST", `keys/${id}/rotate`)).toMatchObject({ code: "conflict" });
    const revoked = await create();
    await ok("POST", `keys/${revoked.id}/revoke`);
    expect(await call("POST", `keys/${revoked.id}/rotate`)).toMatchObject({
      code: "conflict",
      detail: "The key is revoked: make a new one.",
    });
  });

  test("of two who replace it at once one is told, and no third key is left", async () => {
    const { id } = await create();
    const results = await Promise.all([call("POST", `keys/${id}/rotate`), call("POST", `keys/${id}/rotate`)]);
    expect(results.filter((result) => "code" in result)).toMatchObject([{ code: "conflict" }]);
    expect((await ok("GET", "keys")).items).toHaveLength(2);
  });

  test.each([{ overlap: "a week" }, { quiet: "1m" }, { quiet: "5" }, { expiresAt: "2026-01-01T00:00:00Z" }])(
    "%j is refused",
    async (body) => {
      const { id } = await create();
      expect(await call("POST", `keys/${id}/rotate`, body)).toMatchObject({ code: "request-invalid" });
    },
  );
});

describe("the audit log", () => {
  test("has who did what to which key from where, and no secret", async () => {
    const { id, key } = await create();
    await ok("PATCH", `keys/${id}`, { metadata: { token: "s3cret" } });
    const fresh = await ok("POST", `keys/${id}/rotate`);
    await ok("POST", `keys/${id}/disable`);
    await ok("POST", `keys/${id}/enable`);
    await ok("POST", `keys/${id}/revoke`);
    await ok("DELETE", `keys/${id}`);
    const { items } = await ok("GET", "audit");
    const entries = items as { action: string; target: string; actor: Json; time: string; details: Json }[];
    expect(entries.map(({ action }) => action).reverse()).toEqual([
      "key.created",
      "key.updated",
      "key.rotated",
      "key.disabled",
      "key.enabled",
      "key.revoked",
      "key.removed",
    ]);
    for (const entry of entries) expect(entry).toMatchObject({ target: id, actor: ACTOR, time: "2027-01-01T00:00:00.000Z" });
    expect(entries.at(-2)!.details).toEqual({ name: "test", consumer: "acme", changed: ["metadata"] });
    const text = JSON.stringify(entries);
    for (const secret of [key, fresh.key, "s3cret", digestOf(String(key))]) expect(text).not.toContain(secret);
  });

  test("what is refused is no change", async () => {
    await call("POST", "keys", {});
    await call("DELETE", "keys/none");
    expect((await ok("GET", "audit")).items).toEqual([]);
  });

  test("is read page by page", async () => {
    for (let i = 0; i < 3; i++) await create();
    const first = await ok("GET", "audit?limit=2");
    expect(await ok("GET", `audit?limit=2&cursor=${first.next}`)).toMatchObject({ items: [{}], next: null });
  });

  test("an entry that can't be written goes to the process's log", async () => {
    stores.log.append = () => unavailable("error");
    await create();
    expect(logged).toEqual(["an audit entry could not be written"]);
  });
});
