/** What a known caller may do: scopes, roles, claims and ownership, by method, in every spelling of a path. */
import { describe, expect, test } from "vitest";
import type { Json } from "#lib/contract/json.ts";
import type { Consumer } from "#lib/contract/request.ts";
import { authorize } from "#lib/policies/authorize/authorize.ts";
import type { AuthorizeOptions } from "#lib/policies/authorize/options.ts";
import { exchangeFor } from "../../support/exchange.ts";
import { gatewayOf } from "../gateway.ts";

const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString("base64")}` });
const ADA = basic("ada:a");
const BOB = basic("bob:b");
const SLASH = basic("a/b:c");

const { send } = gatewayOf(
  {
    auth: {
      staff: {
        basic: {
          users: {
            ada: { password: "${env.A}", scopes: ["orders:read", "orders:write"] },
            bob: { password: "${env.B}", scopes: "orders:read" },
            "a/b": "${env.C}",
          },
        },
      },
    },
    defaults: { auth: "staff" },
    routes: [
      {
        path: "/orders",
        scopes: "orders:read",
        byMethod: {
          POST: { scopes: ["orders:read", "orders:write"] },
          DELETE: { scopes: "orders:admin" },
          PATCH: { scopes: false },
        },
      },
      { path: "/any", scopes: { anyOf: ["admin", "orders:write"] } },
      { path: "/roles", roles: { anyOf: ["admin", "owner"] } },
      { path: "/claims", claims: { sub: ["a*", "x"] } },
      { path: "/both", scopes: "orders:read", claims: { sub: "ada" } },
      { path: "/users/:userId", owner: { param: "userId", claim: "sub" } },
      { path: "/users/:userId/orders/*", owner: { param: "userId", claim: "sub" } },
      { path: "/kept/:userId", encodedSlash: "keep", owner: { param: "userId", claim: "sub" } },
      { path: "/news", auth: { optional: "staff" }, scopes: "orders:read" },
      { path: "/trial", scopes: "admin", mode: "shadow" },
    ],
  },
  { variables: { A: "a", B: "b", C: "c" } },
);

describe("scopes by method", () => {
  test.each([
    ["GET", BOB, 200],
    ["HEAD", BOB, 200],
    ["POST", BOB, 403],
    ["POST", ADA, 200],
    ["DELETE", ADA, 403],
    ["PATCH", SLASH, 200],
    ["GET", SLASH, 403],
    ["PUT", BOB, 200],
    ["GET", {}, 401],
  ])("%s with %j is %i", async (method, headers, status) => {
    expect((await send({ method, target: "/orders", headers })).status).toBe(status);
  });

  test("the record names the scope, the caller is told the code alone", async () => {
    const { text, record } = await send({ method: "POST", target: "/orders", headers: BOB });
    expect(record.reason).toBe("scopes: the caller lacks orders:write");
    expect(record.consumer).toBe("staff:bob");
    expect(JSON.parse(text)).toMatchObject({ code: "not-allowed", title: "The caller may not do this" });
    expect(text).not.toContain("orders:write");
  });
});

describe("one of several", () => {
  test.each([
    ["/any", ADA, 200],
    ["/any", BOB, 403],
    ["/roles", ADA, 403],
    ["/claims", ADA, 200],
    ["/claims", BOB, 403],
    ["/both", ADA, 200],
    ["/both", BOB, 403],
  ])("%s with %j is %i", async (target, headers, status) => expect((await send({ target, headers })).status).toBe(status));

  test.each([
    ["/any", "scopes: the caller lacks all of admin, orders:write"],
    ["/roles", "roles: the caller lacks all of admin, owner"],
    ["/claims", 'claims: "sub" is not what it must be'],
  ])("%s: the record says %s", async (target, reason) => {
    expect((await send({ target, headers: BOB })).record.reason).toBe(reason);
  });
});

describe("what is somebody's own", () => {
  test.each([
    ["/users/ada", 200],
    ["/users/%61da", 200],
    ["/users/%61%64%61", 200],
    ["/users/ada/orders/7", 200],
    ["/users/ada/orders", 200],
    ["/users/bob", 403],
    ["/users/bob/orders/7", 403],
    ["/users/ADA", 403],
    ["/users/ada%20", 403],
    ["/users/%2561da", 403],
    ["/users/ada;x=1", 403],
    ["/users/ada%00", 400],
    ["/users/ada%2f..%2fbob", 400],
    ["/users/ada/../bob", 400],
    ["/users/ada/%2e%2e/bob", 400],
    ["/users/bob/orders/../../ada", 400],
    ["/users//ada", 400],
    ["/users/bob?userId=ada", 403],
    ["/users/bob#/users/ada", 400],
    ["/users/ada/", 404],
    ["/users/", 404],
  ])("%s is %i for ada", async (target, status) => expect((await send({ target, headers: ADA })).status).toBe(status));

  test.each([
    ["/kept/a%2fb", SLASH, 200],
    ["/kept/a%2Fb", SLASH, 200],
    ["/kept/a%252fb", SLASH, 403],
    ["/kept/ada%2fx", ADA, 403],
    ["/kept/bob%2f..%2fada", ADA, 400],
  ])("with slashes kept, %s of %j is %i", async (target, headers, status) =>
    expect((await send({ target, headers })).status).toBe(status),
  );

  test("the record names the parameter and the claim, not their values", async () => {
    const { record } = await send({ target: "/users/bob", headers: ADA });
    expect(record.reason).toBe('owner: "userId" in the path is not the caller\'s "sub"');
  });
});

describe("callers who were let through unknown", () => {
  test.each([
    [{}, 401],
    [BOB, 200],
    [SLASH, 403],
  ])("%j: %i", async (headers, status) => expect((await send({ target: "/news", headers })).status).toBe(status));
});

test("in shadow mode it is only written down", async () => {
  const { status, record } = await send({ target: "/trial", headers: ADA });
  expect(status).toBe(200);
  expect(record.steps[1]).toMatchObject({ policy: "authorize", verdict: "would-refuse", code: "not-allowed" });
});

describe("for any consumer", () => {
  const NOTHING: AuthorizeOptions = { claims: [] };
  const parts = { authenticators: new Map(), backend: undefined, enforce: true, metadata: undefined };
  function fault(options: Partial<AuthorizeOptions>, consumer: Partial<Consumer>, target = "/users/7") {
    const policy = authorize.create({ ...NOTHING, ...options }, undefined as never, undefined as never, parts);
    const exchange = exchangeFor({ target, path: "/users/:id", consumer: { id: "web:7", authenticator: "web", ...consumer } });
    const decision = policy.decide!(exchange);
    return decision && "code" in decision ? decision.reason : undefined;
  }
  const owner: AuthorizeOptions["owner"] = { param: "id", from: "claim", name: "user.ids" };
  const owning = (ids: Json) => fault({ owner }, { claims: { user: { ids } } });

  test("one without scopes, roles and claims has none", () => {
    expect(fault({ scopes: { need: "any", names: ["a"] } }, {})).toContain("scopes");
    expect(fault({ roles: { need: "all", names: ["a"] } }, {})).toContain("roles");
    expect(fault({ claims: [{ from: "claim", name: "a", anyOf: ["*"] }] }, {})).toContain("claims");
    expect(fault({ owner }, {})).toContain("owner");
  });

  test("a claim of ownership may be a text, a number, or a list of them", () => {
    expect([owning("7"), owning(7), owning(["8", 7])]).toEqual([undefined, undefined, undefined]);
  });

  test.each([[[]], ["70"], [{ 7: true }], [true], [null], [["7,8"]], [[["7"]]], [7.5]])("%j owns nothing here", (ids) => {
    expect(owning(ids)).toContain("owner");
  });

  test("every rule must hold, and the first that does not is named", () => {
    const rules = { scopes: { need: "all", names: ["a", "b"] }, roles: { need: "all", names: ["r"] } } as const;
    expect(fault(rules, { scopes: ["b"], roles: [] })).toBe("scopes: the caller lacks a");
    expect(fault(rules, { scopes: ["b", "a"], roles: [] })).toBe("roles: the caller lacks r");
    expect(fault(rules, { scopes: ["b", "a"], roles: ["r"] })).toBeUndefined();
  });
});
