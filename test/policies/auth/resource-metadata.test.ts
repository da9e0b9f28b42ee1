/** RFC 9728: what a 401 points to, and what stands there. */
import { describe, expect, test } from "vitest";
import { gatewayOf } from "../gateway.ts";

const ISSUER = "https://login.shop.example/";
const PARTNERS = "https://partners.example";
const ORIGIN = "https://api.shop.example";
const WELL_KNOWN = "/.well-known/oauth-protected-resource";

const auth = {
  web: { jwt: { issuer: ISSUER, audience: "shop" } },
  partners: { jwt: { issuer: [PARTNERS, ISSUER], audience: "shop" } },
  cookie: { jwt: { issuer: ISSUER, audience: "shop", from: "cookie:sid" } },
  own: { jwt: { secret: "${env.SECRET}", audience: "shop" } },
  keys: { apiKey: {} },
  staff: { basic: { users: { ada: "${env.SECRET}" } } },
};
const routes: object[] = [
  { path: "/orders/*", auth: "web", scopes: "orders:read", byMethod: { POST: { scopes: ["orders:write", "orders:read"] } } },
  { path: "/both", auth: ["partners", "web", "keys"] },
  { path: "/posted", methods: "POST", auth: "web" },
  { path: "/session", auth: "cookie" },
  { path: "/own", auth: "own" },
  { path: "/keys", auth: "keys" },
  { path: "/staff", auth: "staff" },
  { path: "/open" },
];
const gateway = (url: string | undefined = ORIGIN, more: object[] = []) =>
  gatewayOf(
    { auth, routes: [...routes, ...more] },
    { variables: { SECRET: "0123456789abcdef0123456789abcdef" }, ...(url === undefined ? {} : { url }) },
  );
const challengeAt = async (target: string, url?: string) =>
  (await gateway(url).send({ target, host: "evil.example" })).headers.all("www-authenticate");

describe("the challenge", () => {
  test.each([
    ["/orders/7?x=1", "/orders/7"],
    ["/orders/a%20b", "/orders/a%20b"],
    [`/orders/${"x".repeat(600)}`, ""],
  ])("of %s", async (target, path) => {
    expect(await challengeAt(target)).toEqual([`Bearer realm="frontdesk", resource_metadata="${ORIGIN}${WELL_KNOWN}${path}"`]);
  });

  test("a token that is refused", async () => {
    const { headers } = await gateway().send({ target: "/orders/7", headers: { authorization: "Bearer x" } });
    expect(headers.get("www-authenticate")).toContain(
      `error="invalid_token", error_description="The credential is no signed JWT.", resource_metadata="${ORIGIN}`,
    );
  });

  test("a quote in a path does not end the parameter", async () => {
    expect(await challengeAt('/orders/a"b')).toEqual([
      `Bearer realm="frontdesk", resource_metadata="${ORIGIN}${WELL_KNOWN}/orders/a%22b"`,
    ]);
  });

  test("without an address of the gateway's own there is none: `Host` is the caller's word", async () => {
    const { headers } = await gatewayOf({ auth, routes }, { variables: { SECRET: "0123456789abcdef0123456789abcdef" } }).send({
      target: "/orders/7",
    });
    expect(headers.all("www-authenticate")).toEqual(['Bearer realm="frontdesk"']);
  });

  test.each(["/own", "/keys", "/staff", "/session"])(
    "%s takes nothing that an authorization server gives by Bearer",
    async (target) => {
      expect((await challengeAt(target)).join()).not.toContain("resource_metadata");
    },
  );
});

describe("the document", () => {
  const read = async (target: string, more: object[] = [], method = "GET") => {
    const { status, text, headers } = await gateway(ORIGIN, more).send({ target, method });
    return { status, headers, body: status === 200 && text.startsWith("{") ? JSON.parse(text) : text };
  };

  test("of a path: whose tokens it takes, and scopes of any method", async () => {
    const { status, headers, body } = await read(`${WELL_KNOWN}/orders/7`);
    expect(status).toBe(200);
    expect(body).toEqual({
      resource: `${ORIGIN}/orders/7`,
      authorization_servers: [ISSUER],
      bearer_methods_supported: ["header"],
      scopes_supported: ["orders:read", "orders:write"],
    });
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("access-control-allow-origin")).toBe("*");
  });

  test("of the whole gateway", async () => {
    const { body } = await read(WELL_KNOWN);
    expect(body).toMatchObject({ resource: ORIGIN, authorization_servers: [ISSUER, PARTNERS] });
  });

  test("several issuers; a path that takes POST alone", async () => {
    expect((await read(`${WELL_KNOWN}/both`)).body.authorization_servers).toEqual([PARTNERS, ISSUER]);
    expect((await read(`${WELL_KNOWN}/posted`)).body.authorization_servers).toEqual([ISSUER]);
  });

  test.each(["/own", "/keys", "/staff", "/session", "/open", "/nowhere", "/", "/orders/../own", "x"])(
    "there is none of %s",
    async (path) => expect([400, 404]).toContain((await read(`${WELL_KNOWN}${path}`)).status),
  );

  test("it is read, and nothing else", async () => {
    const { status, headers } = await read(`${WELL_KNOWN}/orders/7`, [], "POST");
    expect({ status, allow: headers.get("allow") }).toEqual({ status: 405, allow: "GET, HEAD, OPTIONS" });
    expect((await read(`${WELL_KNOWN}/orders/7`, [], "HEAD")).status).toBe(200);
  });

  test("a script of any page may read it, with fields of its own", async () => {
    const { status, headers } = await read(`${WELL_KNOWN}/orders/7`, [], "OPTIONS");
    expect({
      status,
      origin: headers.get("access-control-allow-origin"),
      fields: headers.get("access-control-allow-headers"),
    }).toEqual({
      status: 204,
      origin: "*",
      fields: "*",
    });
  });

  test("a route that is made for it goes before; one that takes everything does not, but where there is nothing to say", async () => {
    const theirs = { path: `${WELL_KNOWN}/*`, respond: { body: "theirs" } };
    expect((await read(`${WELL_KNOWN}/orders/7`, [theirs])).body).toBe("theirs");
    const everything = { path: "/*", respond: { body: "theirs" } };
    expect((await read(`${WELL_KNOWN}/orders/7`, [everything])).body.resource).toBe(`${ORIGIN}/orders/7`);
    expect((await read(`${WELL_KNOWN}/open`, [everything])).body).toBe("theirs");
    expect((await read("/.well-known/security.txt", [everything])).body).toBe("theirs");
  });
});
