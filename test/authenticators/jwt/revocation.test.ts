/** Tokens that are taken back: on the instance that does it at once, elsewhere within 5 s, and never on trust. */
import { beforeEach, describe, expect, test } from "vitest";
import { createApi, runOperation } from "#lib/admin/api.ts";
import { revocationOperations } from "#lib/admin/revocations-api.ts";
import { type Pending, type StoreReply, unavailable } from "#lib/contract/stores/reply.ts";
import type { Stores } from "#lib/contract/stores/stores.ts";
import { createMemoryStores } from "#lib/stores/memory/memory-stores.ts";
import { gatewayOf, type TestGateway } from "../../policies/gateway.ts";
import { makeSigningKey, signToken } from "../../support/issuer.ts";

const ISSUER = "https://issuer.example";
const key = await makeSigningKey("ES256");
let nowMs: number;
let shared: ReturnType<typeof createMemoryStores>;
let away: boolean;
/** What was asked of the store, by either instance. */
let asked: string[];
let here: Instance;
let there: Instance;

beforeEach(() => {
  nowMs = 1_800_000_000_000;
  shared = createMemoryStores();
  away = false;
  asked = [];
  here = instance();
  there = instance();
});

interface Instance extends TestGateway {
  readonly stores: Stores;
}

/** Each instance has memory of its own, and the one store behind it takes another turn of the event loop, as Redis does. */
function instance(revocation: unknown = true, jwt: object = {}): Instance {
  const { revoked } = shared;
  const ask = async <T>(name: string, work: () => Pending<T>): Promise<StoreReply<T>> => {
    asked.push(name);
    const reply = work();
    await undefined;
    return away ? unavailable("timeout") : reply;
  };
  const stores: Stores = {
    ...shared,
    revoked: {
      get: (digest) => ask("get", () => revoked.get(digest)),
      changes: (since) => ask("changes", () => revoked.changes(since)),
      find: (id) => revoked.find(id),
      list: (query) => revoked.list(query),
      put: (record) => revoked.put(record),
      replace: (record) => revoked.replace(record),
      remove: (id) => revoked.remove(id),
      removeExpired: (ms) => revoked.removeExpired(ms),
      revoke: (id, ms) => revoked.revoke(id, ms),
      used: (digest, ms) => revoked.used(digest, ms),
    },
  };
  const config = {
    auth: { web: { jwt: { issuer: ISSUER, audience: "shop", keys: key.jwk, revocation, ...jwt } } },
    routes: [{ path: "/", auth: "web", respond: { body: "${consumer.id}" } }],
  };
  return { ...gatewayOf(config, { stores, now: () => nowMs }), stores };
}

const sign = (claims: object = {}) => signToken({ iss: ISSUER, aud: "shop", sub: "ada", jti: "t1", ...claims }, key, { nowMs });
const send = (token: string, to = here) => to.send({ headers: { authorization: `Bearer ${token}` } });
const statusOf = async (token: string, to = here) => (await send(token, to)).status;

/** On the first instance. */
async function administer(method: string, path: string, body: object = {}): Promise<Record<string, unknown>> {
  const { gateway, stores } = here;
  const api = createApi(
    revocationOperations({
      stores,
      config: gateway.config,
      log: { info() {}, warn() {}, error() {} },
      now: () => nowMs,
      random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    }),
  );
  const [name = "", query] = path.split("?");
  const found = api.find(method, name.split("/"));
  if (!found || "allow" in found) throw new Error("there is no such operation");
  const done = await runOperation(found, { query: new URLSearchParams(query), body, actor: { by: "operator" } });
  return "code" in done ? { ...done } : ((done.body ?? {}) as Record<string, unknown>);
}

describe("a token that is taken back", () => {
  test("by its jti: at once here, within 5 s elsewhere, and no other", async () => {
    const [stolen, other] = [await sign(), await sign({ jti: "t2" })];
    for (const to of [here, there]) for (const token of [stolen, other]) expect(await statusOf(token, to)).toBe(200);
    await administer("POST", "revocations", { jti: "t1" });
    const refused = await send(stolen);
    expect(refused.status).toBe(401);
    expect(refused.record.reason).toBe("web: the token was revoked");
    expect(refused.text).not.toContain("revoked");
    expect(await statusOf(stolen, there)).toBe(200);
    nowMs += 5001;
    expect(await statusOf(stolen, there)).toBe(401);
    for (const to of [here, there]) expect(await statusOf(other, to)).toBe(200);
  });

  test("by its subject: all that were issued until then, whether seen before or not", async () => {
    const [seen, unseen] = [await sign(), await sign({ jti: undefined })];
    expect(await statusOf(seen)).toBe(200);
    await administer("POST", "revocations", { sub: "ada" });
    expect(await statusOf(seen)).toBe(401);
    expect(await statusOf(unseen)).toBe(401);
    expect(await statusOf(unseen, there)).toBe(401);
    expect(await statusOf(await sign({ sub: "bob" }))).toBe(200);
    nowMs += 1000;
    expect(await statusOf(await sign())).toBe(200);
    await administer("POST", "revocations", { sub: "ada" });
    expect(await statusOf(await sign({ iat: nowMs / 1000 - 0.5 }))).toBe(401);
  });

  test("is taken again once that is undone", async () => {
    const token = await sign();
    const { id } = await administer("POST", "revocations", { jti: "t1" });
    for (const to of [here, there]) expect(await statusOf(token, to)).toBe(401);
    expect(await administer("DELETE", `revocations/${id}`)).toEqual({});
    expect(await statusOf(token)).toBe(200);
    nowMs += 5001;
    expect(await statusOf(token, there)).toBe(200);
  });

  test("goes unnoticed where the config does not ask for it", async () => {
    const token = await sign();
    await administer("POST", "revocations", { jti: "t1" });
    asked = [];
    expect(await statusOf(token, instance(false))).toBe(200);
    expect(asked).toEqual([]);
  });

  test("while the answer about it is on its way", async () => {
    const token = await sign();
    await statusOf(await sign({ jti: "other" }));
    const { revoked } = here.stores;
    const { get } = revoked;
    let revoking: Promise<unknown> | undefined;
    revoked.get = (digest) => {
      const reply = get(digest);
      revoked.get = get;
      revoking = administer("POST", "revocations", { jti: "t1" });
      return reply;
    };
    await statusOf(token);
    await revoking;
    expect(await statusOf(token)).toBe(401);
  });
});

describe("what it costs", () => {
  test("a first sight: one look-up of each mark, in one tick with the changes; then nothing, revoked or not", async () => {
    const token = await sign();
    await statusOf(token);
    expect(asked).toEqual(["changes", "get", "get"]);
    for (let i = 0; i < 10; i++) await statusOf(token);
    await administer("POST", "revocations", { jti: "t1" });
    expect(await statusOf(token)).toBe(401);
    asked = [];
    for (let i = 0; i < 10; i++) expect(await statusOf(token)).toBe(401);
    expect(asked).toEqual([]);
  });

  test("changes are asked for once in 4 s, behind the requests; once by all who come after a pause", async () => {
    const token = await sign();
    await statusOf(token);
    asked = [];
    for (let i = 0; i < 200; i++) {
      nowMs += 100;
      expect(await statusOf(token)).toBe(200);
    }
    expect(asked).toEqual(Array(5).fill("changes"));
    asked = [];
    nowMs += 60_000;
    const both = await Promise.all(Array.from({ length: 20 }, () => statusOf(token)));
    expect(both).toEqual(Array(20).fill(200));
    expect(asked).toEqual(["changes"]);
  });

  test("a change to one token asks about no other", async () => {
    const tokens = await Promise.all(Array.from({ length: 5 }, (_, index) => sign({ jti: `t${index}`, sub: `s${index}` })));
    for (const token of tokens) await statusOf(token, there);
    await administer("POST", "revocations", { jti: "t1" });
    nowMs += 5001;
    asked = [];
    for (const token of tokens) await statusOf(token, there);
    expect(asked).toEqual(["changes", "get", "get"]);
  });
});

describe("while the store is away", () => {
  test("nobody is let in on knowledge that is older than 5 s, nor unseen", async () => {
    const [known, unseen] = [await sign(), await sign({ jti: "t2" })];
    await statusOf(known);
    away = true;
    expect(await statusOf(unseen)).toBe(503);
    nowMs += 4500;
    expect(await statusOf(known)).toBe(200);
    nowMs += 501;
    const refused = await send(known);
    expect(refused.status).toBe(503);
    expect(refused.record.reason).toBe("web: the store of revocations did not answer");
    away = false;
    expect(await statusOf(known)).toBe(200);
  });
});

describe("tokens that could not be taken back are not taken", () => {
  test.each([
    [{ jti: undefined, sub: undefined, email: "a@b.example" }, "the token does not say who calls"],
    [{ jti: 7 }, "the token's jti is no text"],
    [{ iat: undefined }, "the token has no iat"],
    [{ exp: 1_800_000_000 + 31 * 86_400 }, "the token lives for 2678400 s, and revocations are kept for 2592000 s"],
  ])("%j", async (claims, reason) => {
    const refused = await send(await sign(claims));
    expect(refused.status).toBe(401);
    expect(refused.record.reason).toContain(reason);
  });

  test("neither jti nor sub, where another claim says who calls", async () => {
    here = instance(true, { consumer: "email" });
    const claims = { jti: undefined, sub: undefined, email: "a@b.example" };
    expect((await send(await sign(claims))).record.reason).toContain("neither jti nor sub");
    expect(await statusOf(await sign({ ...claims, jti: "t1" }))).toBe(200);
  });

  test("by `maxLife` longer ones are, and stay revoked as long", async () => {
    here = instance({ maxLife: "90d" });
    const token = await sign({ exp: 1_800_000_000 + 90 * 86_400 });
    expect(await statusOf(token)).toBe(200);
    await administer("POST", "revocations", { sub: "ada" });
    nowMs += 90 * 86_400_000 - 1000;
    await administer("POST", "revocations", { sub: "bob" });
    expect(await statusOf(token)).toBe(401);
  });
});

describe("the operations", () => {
  test("what has ended is gone, by number too", async () => {
    const expiresAt = new Date(nowMs + 60_000).toISOString();
    await administer("POST", "revocations", { jti: "t1", expiresAt, note: "lost phone" });
    await administer("POST", "revocations", { sub: "ada" });
    const listed = (await administer("GET", "revocations")).items as Record<string, unknown>[];
    expect(listed.find(({ sub }) => sub === "ada")).toMatchObject({
      authenticator: "web",
      revokedAt: "2027-01-15T08:00:00.000Z",
      until: "2027-02-14T08:00:10.000Z",
    });
    expect(listed.find(({ jti }) => jti === "t1")).toMatchObject({ note: "lost phone", until: "2027-01-15T08:01:10.000Z" });
    nowMs += 70_000;
    expect((await administer("GET", "revocations")).items).toHaveLength(1);
    await administer("POST", "revocations", { sub: "bob" });
    expect((await shared.revoked.list({ limit: 10 })) as object).toMatchObject({ value: { items: { length: 2 } } });
    expect(await administer("GET", "revocations?authenticator=other")).toEqual({ items: [], next: null });
  });

  test("the same again keeps its id, and the longer time", async () => {
    const first = await administer("POST", "revocations", { jti: "t1" });
    nowMs += 1000;
    const again = await administer("POST", "revocations", { jti: "t1", expiresAt: new Date(nowMs + 1000).toISOString() });
    expect(again).toMatchObject({ id: first.id, until: first.until });
  });

  test.each([
    [{}, { pointer: "", detail: "expected one of jti and sub" }],
    [
      { jti: "a", sub: "b" },
      { pointer: "", detail: "expected one of jti and sub" },
    ],
    [
      { sub: "a", expiresAt: "2030-01-01T00:00:00Z" },
      { pointer: "/expiresAt", detail: "it is for `jti`: of a subject, every token must have ended" },
    ],
    [
      { jti: "a", expiresAt: "2020-01-01T00:00:00Z" },
      { pointer: "/expiresAt", detail: "this is in the past" },
    ],
    [{ jti: "" }, { pointer: "/jti", detail: "expected 1 to 500 characters" }],
    [
      { jti: "a", authenticator: "x" },
      { pointer: "/authenticator", detail: "there is no such authenticator with `revocation`; there are web" },
    ],
  ])("%j is refused", async (body, fault) => {
    expect(await administer("POST", "revocations", body)).toMatchObject({ code: "request-invalid", errors: [fault] });
  });

  test("an authenticator without `revocation` can't be spoken of", async () => {
    here = instance(false);
    expect(await administer("POST", "revocations", { jti: "a" })).toMatchObject({
      errors: [{ detail: "no authenticator of this config is of kind jwt with `revocation`" }],
    });
  });

  test("the command, which resolves no references, keeps a revocation for longer rather than for no time", async () => {
    const { gateway } = here;
    const [web] = gateway.config.authenticators;
    const options = { ...(web!.options as object), toleranceSeconds: { $ref: [{ env: "TOLERANCE" }] } };
    here = { ...here, gateway: { ...gateway, config: { ...gateway.config, authenticators: [{ ...web!, options }] } } as never };
    const { until } = await administer("POST", "revocations", { sub: "ada" });
    expect(until).toBe("2027-02-16T08:00:00.000Z");
  });

  test("what is not there can't be undone; each change is written down", async () => {
    expect(await administer("DELETE", "revocations/rev_0000000000000000")).toMatchObject({ code: "not-found" });
    const { id } = await administer("POST", "revocations", { sub: "ada", note: "left" });
    await administer("DELETE", `revocations/${id}`);
    const details = { authenticator: "web", sub: "ada", note: "left" };
    expect(await shared.log.page("audit", { limit: 5 })).toMatchObject({
      value: {
        items: [
          { value: { action: "token.restored", target: id, details } },
          { value: { action: "token.revoked", target: id, details } },
        ],
      },
    });
  });

  test("a store that does not answer", async () => {
    away = true;
    expect(await administer("POST", "revocations", { jti: "t1" })).toMatchObject({ code: "store-unavailable" });
  });
});
