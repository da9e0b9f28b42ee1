import { createHmac, createPublicKey } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createOutbound } from "#lib/backends/outbound.ts";
import { createPools } from "#lib/backends/pools.ts";
import { gatewayOf, type Received, type TestGateway } from "../../policies/gateway.ts";
import { requestFor } from "../../support/exchange.ts";
import { type Claims, type Issuer, makeSigningKey, type SignOptions, signToken, startIssuer } from "../../support/issuer.ts";

const pools = createPools();
const call = createOutbound(pools, Date.now);
let issuer: Issuer;
let nowMs: number;

beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(async () => {
  issuer.close();
  await pools.close();
});
beforeEach(() => {
  nowMs = 1_800_000_000_000;
});

function gateway(options: object = {}, variables: Record<string, string> = {}): TestGateway {
  return gatewayOf(
    {
      auth: { web: { jwt: { issuer: issuer.url, audience: "shop", ...options } } },
      routes: [{ path: "/*", auth: "web", respond: { body: "${consumer.id} ${consumer.tier} ${claims.org}" } }],
    },
    { call, variables, now: () => nowMs },
  );
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const sign = (claims: Claims = {}, options: SignOptions = {}) => issuer.sign({ aud: "shop", ...claims }, { nowMs, ...options });
const sendSigned = async (claims?: Claims, options?: SignOptions, to = gateway()) => to.send(bearer(await sign(claims, options)));

/** What the operator reads and what the caller hears. */
function saidBy({ status, record, text, headers }: Received) {
  return {
    status,
    reason: record.reason,
    detail: (JSON.parse(text) as { detail?: string }).detail,
    challenge: headers.get("www-authenticate"),
  };
}

describe("a token of the issuer", () => {
  test("names the consumer", async () => {
    const answer = await sendSigned();
    expect(answer).toMatchObject({ status: 200, text: "web:ada  " });
    expect(answer.record.consumer).toBe("web:ada");
  });

  test.each(["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"])("signed with %s", async (alg) => {
    const key = await issuer.rotate({ alg });
    expect(await sendSigned()).toMatchObject({ status: 200 });
    expect(key.alg).toBe(alg);
  });

  test.each([
    ["EdDSA", "Ed25519"],
    ["Ed25519", "EdDSA"],
  ])("signed with %s by a key that is said to be for %s, the same algorithm", async (alg, said) => {
    const key = await issuer.rotate({ alg });
    issuer.published = [{ ...key, jwk: { ...key.jwk, alg: said } }];
    expect(await sendSigned({}, { key })).toMatchObject({ status: 200 });
  });

  test("without a kid, every key that fits its algorithm is tried", async () => {
    const first = await issuer.rotate({ alg: "ES256" });
    await issuer.rotate({ alg: "ES256", keep: true });
    await issuer.rotate({ alg: "RS256", keep: true });
    expect(await sendSigned({}, { key: first, header: { kid: undefined } })).toMatchObject({ status: 200 });
  });

  test("claims that the config speaks of are kept, at a path too", async () => {
    expect((await sendSigned({ org: "acme" })).text).toBe("web:ada  acme");
    const consumers = gateway({ consumer: "user.id", tierClaim: "plan" });
    expect((await sendSigned({ user: { id: 42 }, plan: "pro" }, {}, consumers)).text).toBe("web:42 pro ");
  });

  test("a name that a field could not hold is encoded", async () => {
    expect((await sendSigned({ sub: "a\r\nx-evil: 1" })).record.consumer).toBe("web:a%0D%0Ax-evil:%201");
  });

  test.each([
    [{ scope: "orders:read orders:write" }],
    [{ scp: ["orders:write"] }],
    [{ permissions: ["orders:write"], scope: "x" }],
    [{ scope: "orders:write", realm_access: { roles: ["clerk"] } }],
  ])("what it may do: %j", async (claims) => {
    const { send } = gatewayOf(
      {
        auth: { web: { jwt: { issuer: issuer.url, audience: "shop" } } },
        routes: [
          { path: "/orders", auth: "web", scopes: "orders:write" },
          { path: "/staff", auth: "web", roles: "clerk" },
        ],
      },
      { call, now: () => nowMs },
    );
    const token = await sign(claims);
    expect((await send({ ...bearer(token), target: "/orders" })).status).toBe(200);
    expect((await send({ ...bearer(token), target: "/staff" })).status).toBe("realm_access" in claims ? 200 : 403);
  });

  test("too few scopes: 403 with those that are needed", async () => {
    const { send } = gatewayOf(
      {
        auth: { web: { jwt: { issuer: issuer.url, audience: "shop" } } },
        routes: [{ path: "/", auth: "web", scopes: ["a", "b"] }],
      },
      { call, now: () => nowMs },
    );
    const answer = await send(bearer(await sign({ scope: "a" })));
    expect(answer.status).toBe(403);
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="frontdesk", error="insufficient_scope", scope="a b"');
  });
});

describe("where it stands", () => {
  test.each([
    ["cookie:sid", { headers: { cookie: "a=1; sid=TOKEN; b=2" } }],
    ["query:access_token", { target: "/x?a=1&access_token=TOKEN" }],
    ["header:X-Token", { headers: { "x-token": "TOKEN" } }],
    [["cookie:sid", "header"], { headers: { authorization: "Bearer TOKEN" } }],
  ])("%s", async (from, sent) => {
    const text = JSON.stringify(sent).replace("TOKEN", await sign());
    expect((await gateway({ from }).send(JSON.parse(text))).status).toBe(200);
    const missing = await gateway({ from }).send();
    expect(missing).toMatchObject({ status: 401 });
  });

  test("missing: what the route takes", async () => {
    expect(saidBy(await gateway().send())).toEqual({
      status: 401,
      reason: "no credential for web",
      detail: "This route takes a token in `Authorization: Bearer`.",
      challenge: 'Bearer realm="frontdesk"',
    });
  });
});

describe("refused, and why", () => {
  const plain = 'Bearer realm="frontdesk", error="invalid_token"';
  test.each<[string, Claims, SignOptions, string, string?]>([
    ["expired", { exp: 1_799_999_958 }, {}, "the token expired 42 s ago", "The token has expired."],
    ["without an end", { exp: undefined }, {}, "the token's exp is nothing: a time is needed"],
    ["exp as text", { exp: "1900000000" }, {}, 'the token\'s exp is "1900000000": a time is needed'],
    ["an end in milliseconds", { exp: 1_900_000_000_000 }, {}, "the token's exp is 1900000000000: a time is needed"],
    ["nbf as text", { nbf: "1" }, {}, "the token's nbf is no time"],
    ["iat as text", { iat: "1" }, {}, "the token's iat is no time"],
    ["not yet valid", { nbf: 1_800_000_060 }, {}, "the token is not valid before 60 s from now", "The token is not valid yet."],
    [
      "issued later",
      { iat: 1_800_000_060 },
      {},
      "the token was issued 60 s from now: a clock is wrong",
      "The token is not valid yet.",
    ],
    ["other audience", { aud: "blog" }, {}, 'audience: the config has "shop" and the token "blog"'],
    ["other audiences", { aud: ["a", "b"] }, {}, 'audience: the config has "shop" and the token ["a","b"]'],
    ["no audience", { aud: undefined }, {}, 'audience: the config has "shop" and the token nothing'],
    ["audience as an object", { aud: { shop: 1 } }, {}, 'audience: the config has "shop" and the token {"shop":1}'],
    ["no subject", { sub: undefined }, {}, 'the token does not say who calls: "sub" is missing, or no text'],
    ["a number as subject", { sub: 1 }, {}, 'the token does not say who calls: "sub" is missing, or no text'],
    ["an empty subject", { sub: "" }, {}, 'the token does not say who calls: "sub" is missing, or no text'],
    [
      "typ of another end",
      {},
      { header: { typ: "logout+jwt" } },
      "the token's typ is \"logout+jwt\", which is not a bearer token's",
    ],
    ["typ no text", {}, { header: { typ: 1 } }, "the token's typ is no text"],
  ])("%s", async (_, claims, options, reason, detail) => {
    expect(saidBy(await sendSigned(claims, options))).toEqual({
      status: 401,
      reason: `web: ${reason}`,
      detail,
      challenge: detail ? `${plain}, error_description="${detail}"` : plain,
    });
  });

  test("within the tolerance it is taken", async () => {
    expect((await sendSigned({ exp: 1_799_999_996 })).status).toBe(200);
    expect((await sendSigned({ nbf: 1_800_000_004, iat: 1_800_000_004 })).status).toBe(200);
    expect((await sendSigned({ exp: 1_799_999_958 }, {}, gateway({ clockTolerance: "1m" }))).status).toBe(200);
  });

  test("another issuer, and the one that lacks the slash", async () => {
    expect((await sendSigned({ iss: "https://evil.example" })).record.reason).toBe(
      `web: issuer: the config has "${issuer.url}" and the token "https://evil.example"`,
    );
    expect((await sendSigned({ iss: `${issuer.url}/` })).record.reason).toBe(
      `web: issuer: the config has "${issuer.url}" and the token "${issuer.url}/": they differ by the slash at the end. Write it as the token has it`,
    );
    expect((await sendSigned({ iss: [issuer.url] })).status).toBe(401);
  });

  test("typ by the config", async () => {
    const strict = gateway({ typ: "at+jwt" });
    expect((await sendSigned({}, { header: { typ: "application/at+JWT" } }, strict)).status).toBe(200);
    expect((await sendSigned({}, {}, strict)).record.reason).toBe('web: the token\'s typ is "JWT", and at+jwt is needed');
  });

  test("required claims", async () => {
    const strict = gateway({ claims: { azp: ["app", "admin"], email: "*@shop.example" } });
    expect((await sendSigned({ azp: "app", email: "ada@shop.example" }, {}, strict)).status).toBe(200);
    for (const claims of [
      { azp: "app" },
      { azp: "apps", email: "ada@shop.example" },
      { azp: "app", email: "a@shop.example.evil" },
    ])
      expect((await sendSigned(claims, {}, strict)).status).toBe(401);
  });

  test.each([
    ["an opaque token", "v1.local", "a token of 2 parts: a signed JWT has three"],
    ["one of Auth0 without an audience", "dGhpcyBpcyBvcGFxdWU", "an opaque token, which only its issuer can read"],
    ["Bearer twice", "Bearer abc", '"Bearer" stands twice before the token'],
    ["two tokens", "a.b.c, Bearer a.b.c", "several credentials"],
    ["an encrypted one", "a.b.c.d.e", "an encrypted token (JWE)"],
  ])("%s", async (_, token, reason) => {
    const answer = await gateway().send(bearer(token));
    expect(answer.status).toBe(401);
    expect(answer.record.reason).toContain(reason);
  });

  test("an unknown key, and an algorithm that is not taken", async () => {
    const stranger = await makeSigningKey("ES256");
    const rs = gateway({ algorithms: "RS256" });
    expect((await sendSigned({}, { key: stranger })).record.reason).toBe(
      `web: no key of the issuer has kid "${stranger.kid}" for ES256`,
    );
    expect((await sendSigned({}, { key: stranger }, rs)).record.reason).toBe('web: alg "ES256" is not among RS256');
  });
});

describe("keys in the config", () => {
  test.each(["jwk", "set", "pem"] as const)("as %s", async (form) => {
    const key = await makeSigningKey("RS256");
    const { kid: _, ...jwk } = key.jwk;
    const pem = createPublicKey({ key: { ...jwk }, format: "jwk" }).export({ format: "pem", type: "spki" });
    const forms = { jwk, set: { keys: [jwk] }, pem: String(pem).replaceAll("\n", "\\n") };
    const { send } = gateway({ keys: forms[form] });
    expect((await send(bearer(await sign({}, { key })))).status).toBe(200);
    expect((await send(bearer(await sign({}, { key: await makeSigningKey("RS256") })))).status).toBe(401);
  });

  test("a secret by reference, and its successor", async () => {
    const [old, young] = ["o".repeat(32), "y".repeat(32)];
    const auth = { issuer: undefined, audience: undefined, secret: "${env.SECRET}" };
    const { send } = gateway(auth, { SECRET: `${young},${old}` });
    const token = (secret: string, header = { alg: "HS256" }) => {
      const text = [header, { sub: "ada", exp: nowMs / 1000 + 60 }].map((part) =>
        Buffer.from(JSON.stringify(part)).toString("base64url"),
      );
      return `${text.join(".")}.${createHmac("sha256", secret).update(text.join(".")).digest("base64url")}`;
    };
    for (const secret of [old, young]) expect((await send(bearer(token(secret)))).status).toBe(200);
    expect((await send(bearer(token("n".repeat(32))))).status).toBe(401);
    expect((await send(bearer(token(old, { alg: "HS384" })))).record.reason).toContain('alg "HS384" is not among HS256');
  });
});

describe("of several issuers", () => {
  let other: Issuer;
  beforeAll(async () => {
    other = await startIssuer();
  });
  afterAll(() => other.close());

  test("each has its own keys", async () => {
    const both = gateway({ issuer: [issuer.url, other.url] });
    expect((await both.send(bearer(await sign()))).status).toBe(200);
    expect((await both.send(bearer(await other.sign({ aud: "shop" }, { nowMs })))).status).toBe(200);
    const crossed = await signToken({ iss: issuer.url, aud: "shop" }, other.published[0]!, { nowMs });
    expect((await both.send(bearer(crossed))).status).toBe(401);
  });

  test("a token goes to the authenticator of its issuer", async () => {
    const { send } = gatewayOf(
      {
        auth: {
          first: { jwt: { issuer: issuer.url, audience: "shop" } },
          second: { jwt: { issuer: other.url, audience: "shop" } },
        },
        routes: [{ path: "/", auth: ["first", "second"], respond: { body: "${consumer.id}" } }],
      },
      { call, now: () => nowMs },
    );
    expect((await send(bearer(await other.sign({ aud: "shop" }, { nowMs })))).text).toBe("second:ada");
    expect((await send(bearer(await other.sign({ aud: "blog" }, { nowMs })))).record.reason).toContain("second: audience");
    expect((await send(bearer(await sign()))).text).toBe("first:ada");
    expect((await send(bearer("opaque"))).record.reason).toContain("first: an opaque token");
  });
});

describe("a verified token is remembered", () => {
  test("so that the second request has no promise in it, until the token ends", async () => {
    const { gateway: engine, send } = gateway();
    const token = await sign({ exp: nowMs / 1000 + 60 });
    const request = requestFor({ target: "/", headers: ["authorization", `Bearer ${token}`] });
    expect(engine.decide(request, "whole")).toBeInstanceOf(Promise);
    expect((await send(bearer(token))).status).toBe(200);
    expect(engine.decide(request, "whole")).toMatchObject({ kind: "stop", stop: { status: 200 } });
    nowMs += 66_000;
    expect((await send(bearer(token))).record.reason).toBe("web: the token expired 6 s ago");
  });

  test("no longer than five minutes", async () => {
    const { gateway: engine, send } = gateway();
    const token = await sign({ exp: nowMs / 1000 + 3600 });
    const request = requestFor({ target: "/", headers: ["authorization", `Bearer ${token}`] });
    await send(bearer(token));
    nowMs += 300_000;
    expect(engine.decide(request, "whole")).toBeInstanceOf(Promise);
  });

  test("not beyond the keys that verified it", async () => {
    const { send } = gateway();
    const old = await sign();
    expect((await send(bearer(old))).status).toBe(200);
    await issuer.rotate();
    nowMs += 60_000;
    expect((await send(bearer(old))).status).toBe(200);
    expect((await send(bearer(await sign()))).status).toBe(200);
    expect((await send(bearer(old))).record.reason).toContain("no key of the issuer");
  });
});
