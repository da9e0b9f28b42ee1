/** Assertions as a backend would judge them: by jose, with the published keys alone. */
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { type Assertions, createAssertions } from "#lib/backends/assertions.ts";
import { ConfigError } from "#lib/config/issue.ts";
import type { CompiledAssertion, CompiledBackend } from "#lib/contract/compiled/backend.ts";
import type { Consumer } from "#lib/contract/request.ts";
import { createSigningKeys } from "#lib/crypto/signing-keys.ts";

const OLD = new Uint8Array(32).fill(1);
const NEW = new Uint8Array(32).fill(2);
const URL_OF_GATEWAY = "https://api.example";
const NOW = Date.UTC(2026, 0, 1);
const ada: Consumer = {
  id: "staff:ada",
  authenticator: "staff",
  tier: "pro",
  scopes: ["read", "write"],
  roles: ["admin"],
  claims: { email: "ada@example.com", org: { id: 7 }, secret: "kept" },
};
const STANDARD: CompiledAssertion = {
  audience: "orders",
  ttlSeconds: 60,
  header: "x-gateway-assertion",
  claims: [],
};

type AskingBackend = Pick<CompiledBackend, "name" | "assertion">;

function backend(name: string, assertion: Partial<CompiledAssertion> | null): AskingBackend {
  return assertion ? { name, assertion: { ...STANDARD, audience: name, ...assertion } } : { name };
}

function assertionsOf(backends: readonly AskingBackend[], secrets: readonly Uint8Array[] = [NEW], now = () => NOW): Assertions {
  return createAssertions({ backends }, { secrets, adminToken: undefined, url: URL_OF_GATEWAY }, now);
}

function tokenFor(consumer: Consumer, assertion: Partial<CompiledAssertion> = {}): string {
  return assertionsOf([backend("orders", assertion)])
    .byBackend.get("orders")!
    .valueFor(consumer);
}

async function verify(token: string, { jwks }: Pick<Assertions, "jwks">, audience = "orders", nowMs = NOW) {
  const { payload } = await jwtVerify(token, createLocalJWKSet(jwks as never), {
    issuer: URL_OF_GATEWAY,
    audience,
    algorithms: ["EdDSA"],
    currentDate: new Date(nowMs),
  });
  return payload;
}

describe("what it says", () => {
  test("who calls, for whom, and until when", async () => {
    const assertions = assertionsOf([backend("orders", {})]);
    const payload = await verify(assertions.byBackend.get("orders")!.valueFor(ada), assertions);
    expect(payload).toEqual({
      iss: URL_OF_GATEWAY,
      aud: "orders",
      iat: NOW / 1000,
      exp: NOW / 1000 + 60,
      jti: expect.stringMatching(/^[\w-]{22}$/),
      sub: "staff:ada",
      scope: "read write",
      roles: ["admin"],
      tier: "pro",
    });
  });

  test("chosen claims, and no others, where they can't pass for the assertion's own", () => {
    const claims = ["email", "org.id", "missing", "sub", "aud"].map((name) => ({ from: "claim", name }) as const);
    const forging = { ...ada, claims: { ...ada.claims, aud: "stock", sub: "root" } };
    const { claims: held, sub, aud } = decodeJwt(tokenFor(forging, { claims })) as Record<string, unknown>;
    expect({ held, sub, aud }).toEqual({
      held: { email: "ada@example.com", "org.id": 7, sub: "root", aud: "stock" },
      sub: "staff:ada",
      aud: "orders",
    });
  });

  test("nothing that the caller does not have", () => {
    const payload = decodeJwt(tokenFor({ id: "web:7", authenticator: "web", scopes: [], roles: [] }));
    expect(Object.keys(payload).sort()).toEqual(["aud", "exp", "iat", "iss", "jti", "sub"]);
  });

  test("a stated issuer, and in Authorization as a bearer", () => {
    const value = tokenFor(ada, { issuer: "shop", header: "authorization" });
    expect(value).toMatch(/^Bearer ey/);
    expect(decodeJwt(value.slice(7)).iss).toBe("shop");
  });
});

describe("who believes it", () => {
  const both = assertionsOf([backend("orders", {}), backend("stock", {})]);
  const token = both.byBackend.get("orders")!.valueFor(ada);

  test("not another backend", () => expect(verify(token, both, "stock")).rejects.toThrow('unexpected "aud"'));
  test("nobody after its time", () => expect(verify(token, both, "orders", NOW + 60_000)).rejects.toThrow('"exp"'));
  test("nobody with the keys of another secret", () => {
    return expect(verify(token, assertionsOf([backend("orders", {})], [OLD]))).rejects.toThrow("no applicable key");
  });
  test("nobody once a character has changed", async () => {
    const [head, payload, signature] = token.split(".") as [string, string, string];
    const other = Buffer.from(JSON.stringify({ ...decodeJwt(token), sub: "staff:root" })).toString("base64url");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    await expect(verify(`${head}.${other}.${signature}`, both)).rejects.toThrow("signature verification failed");
    await expect(verify(`${none}.${payload}.`, both)).rejects.toThrow();
  });
});

describe("keys", () => {
  test("hold no private part, and are named by their thumbprint", () => {
    const { jwks } = createSigningKeys([NEW, OLD]);
    expect(jwks.keys.map((key) => Object.keys(key))).toEqual(Array(2).fill(["kty", "crv", "x", "kid", "use", "alg"]));
    expect(jwks.keys.map(({ alg, use, kty, crv }) => ({ alg, use, kty, crv }))[0]).toEqual({
      alg: "EdDSA",
      use: "sig",
      kty: "OKP",
      crv: "Ed25519",
    });
    const seeds = [NEW, OLD].flatMap((seed) => [Buffer.from(seed).toString("base64url"), Buffer.from(seed).toString("hex")]);
    for (const seed of seeds) expect(JSON.stringify(jwks)).not.toContain(seed);
  });

  test("are the same wherever the secret is the same", () => {
    expect(createSigningKeys([NEW]).jwks).toEqual(createSigningKeys([new Uint8Array(NEW)]).jwks);
    expect(createSigningKeys([NEW]).sign("x")).toBe(createSigningKeys([NEW]).sign("x"));
  });

  test("rotate: the first signs, all verify", async () => {
    const before = assertionsOf([backend("orders", {})], [OLD, NEW]);
    const after = assertionsOf([backend("orders", {})], [NEW, OLD]);
    const older = before.byBackend.get("orders")!.valueFor(ada);
    const newer = after.byBackend.get("orders")!.valueFor(ada);
    expect(decodeProtectedHeader(older).kid).toBe(before.jwks!.keys[0]!["kid"]);
    expect(decodeProtectedHeader(newer).kid).toBe(after.jwks!.keys[0]!["kid"]);
    for (const published of [before, after])
      for (const token of [older, newer]) expect((await verify(token, published)).sub).toBe("staff:ada");
    await expect(verify(older, assertionsOf([backend("orders", {})], [NEW]))).rejects.toThrow("no applicable key");
  });

  test("come of the operator's token where there is no secret", async () => {
    const environment = { secrets: [], adminToken: "an-operators-token", url: URL_OF_GATEWAY };
    const assertions = createAssertions({ backends: [backend("orders", {})] }, environment, () => NOW);
    expect((await verify(assertions.byBackend.get("orders")!.valueFor(ada), assertions)).sub).toBe("staff:ada");
    expect(JSON.stringify(assertions.jwks)).not.toContain("operator");
  });
});

describe("one serves for half of its life", () => {
  let nowMs = NOW;
  const { byBackend } = assertionsOf([backend("orders", {}), backend("stock", {})], [NEW], () => nowMs);
  const orders = byBackend.get("orders")!;

  test("for one caller and one backend", () => {
    nowMs = NOW;
    const first = orders.valueFor(ada);
    nowMs = NOW + 29_999;
    // Another object, as it comes out of a plan or a token.
    expect(orders.valueFor(structuredClone(ada))).toBe(first);
    expect(byBackend.get("stock")!.valueFor(ada)).not.toBe(first);
    expect(orders.valueFor({ ...ada, id: "staff:bob" })).not.toBe(first);
    nowMs = NOW + 30_000;
    expect(orders.valueFor(ada)).not.toBe(first);
  });

  test("and not once the caller may do something else", () => {
    const first = orders.valueFor(ada);
    expect(orders.valueFor({ ...ada, scopes: ["read"] })).not.toBe(first);
    expect(orders.valueFor({ ...ada, tier: undefined })).not.toBe(first);
    expect(orders.valueFor(ada)).toBe(first);
  });

  test("whatever the number of callers, only so many are kept", () => {
    const first = orders.valueFor(ada);
    // Bounded by bytes: long names take more of the room than many.
    for (let i = 0; i < 1000; i++) orders.valueFor({ id: `web:${i}${"x".repeat(4000)}`, authenticator: "web" });
    expect(orders.valueFor(ada)).not.toBe(first);
  });
});

describe("without what it needs there is no gateway", () => {
  const create = (environment: object, assertion: Partial<CompiledAssertion> | null = {}) =>
    createAssertions(
      { backends: [backend("orders", assertion)] },
      { secrets: [], adminToken: undefined, url: undefined, ...environment },
      () => NOW,
    );

  test.each([
    [{}, ["GATEWAY_SECRET", "GATEWAY_URL"]],
    [{ url: URL_OF_GATEWAY }, ["GATEWAY_SECRET"]],
    [{ secrets: [NEW] }, ["GATEWAY_URL"]],
  ])("%j", (environment, names) => {
    expect(() => create(environment)).toThrow(ConfigError);
    for (const name of names) expect(() => create(environment)).toThrow(name);
  });

  test("unless no backend asks for assertions", () => {
    expect(create({}, null)).toEqual({ byBackend: new Map(), jwks: undefined });
    expect(create({ secrets: [NEW] }, { issuer: "shop" }).byBackend.size).toBe(1);
  });
});
