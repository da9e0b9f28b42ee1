import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KeyFormat } from "#lib/authenticators/api-key/key-format.ts";
import { checkout } from "./checkout.ts";

/** Whatever is sent after all arrives here. */
let server: Server;
let backend: string;
let connections = 0;
beforeAll(async () => {
  server = createServer((_, response) => response.end("sent after all"));
  server.on("connection", () => connections++);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  backend = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const CONFIG = `
import { defineGateway, definePolicy, env, refuse } from "#frontdesk";

const partners = { phase: "screen", create: () => ({
  decide: ({ request }) => (request.headers.has("x-partner") ? undefined : refuse("not-allowed", { detail: "For partners.", reason: "no x-partner" })),
}) } as const;
const partnersOnly = definePolicy({ ...partners, name: "partners-only" });
const partnersSoon = definePolicy({ ...partners, name: "partners-soon", mode: "shadow" });
const caller = definePolicy({ name: "caller", create: () => ({ decide: async () => { await fetch(process.env.BACKEND!); return undefined; } }) });
const where = definePolicy({ name: "where", create: () => ({
  onRequest({ request }, outgoing) {
    outgoing.headers.set("x-country", String(request.client.geo?.country));
    outgoing.headers.set("x-copied", process.env.SECRET_PATH!);
  },
}) });

export default defineGateway({
  backends: {
    shop: { url: env("BACKEND"), headers: { authorization: \`Bearer \${env("SHOP_TOKEN")}\` } },
  },
  defaults: { auth: "none", headers: { response: { set: { "x-token": env("SHOP_TOKEN") } } } },
  routes: [
    { path: "/api/users/:id", methods: ["GET", "POST"], backend: "shop", rewrite: "/\${env.SECRET_PATH}/people/\${params.id}", maxBody: "1kb", use: where },
    { path: "/partners/*", backend: "shop", stripPrefix: "/partners", use: partnersOnly },
    { path: "/soon", use: partnersSoon, respond: { json: { token: env("SHOP_TOKEN"), query: "\${query.q}" } } },
    { path: "/call", backend: "shop", use: caller },
    { path: "/beta", when: { headers: { "x-beta": env("SHOP_TOKEN") } }, respond: { body: "beta" } },
    { path: "/hosted", host: "api.example.com", respond: { body: "hosted" } },
  ],
});
`;
const SECRETS = { SHOP_TOKEN: "s3cret", SECRET_PATH: "hidden-path" };

function explain(...args: string[]) {
  return checkout({ "gateway.config.ts": CONFIG }, { BACKEND: backend, ...SECRETS }).frontdesk("explain", ...args);
}

async function explained(...args: string[]) {
  const { code, out, err } = await explain(...args, "--json");
  expect([code, err]).toEqual([0, ""]);
  return JSON.parse(out);
}

/** Ids and times. */
const VARYING = /\b[0-9a-f]{16,32}\b|\d+\.\d ms/g;

describe("frontdesk explain", () => {
  test("the pool of a place, and what stands behind it", async () => {
    const config = `
backends:
  catalog: { targets: [{ url: https://eu.example, where: { union: EU } }, { url: https://de.example, where: DE }, https://us.example] }
  records: { targets: [{ url: https://records.example, where: { union: EU } }], strict: true }
defaults: { auth: none }
routes:
  - { path: /catalog, backend: catalog }
  - { path: /records, backend: records }
`;
    const { frontdesk } = checkout({ "shop.yaml": config }, {});
    const explain = (target: string, geo: string, ...args: string[]) =>
      frontdesk("explain", "--config", "shop.yaml", "--geo", geo, target, ...args);
    const { out } = await explain("/catalog", "DE-BE");
    expect((await frontdesk("explain", "shop.yaml", "GET", "/catalog", "--geo", "DE-BE")).out.replaceAll(VARYING, "")).toBe(
      out.replaceAll(VARYING, ""),
    );
    expect(out).toContain(
      "\npool      https://de.example\n          then https://eu.example\n          then https://us.example\n",
    );
    expect(out).toContain("\nsends     GET https://de.example/catalog\n");
    expect(JSON.parse((await explain("/catalog", "US", "--json")).out).pool).toEqual([
      ["https://us.example"],
      ["https://eu.example", "https://de.example"],
    ]);
    const refused = (await explain("/records", "US")).out;
    expect(refused).toContain("\nverdict   refused: no-backend-available 503, strict: no target is for US\n");
    expect(refused).not.toContain("\npool ");
  });

  test("a request that goes on: the route, its parameters, and what is sent where", async () => {
    const { code, out, err } = await explain(
      "GET /api/users/a%20b?x=1",
      ...["--header", "Cookie: a=b", "--header", "x-forwarded-for: 6.6.6.6", "--header", "x-gateway-consumer: root"],
      ...[
        "--header",
        "connection: x-hop",
        "--header",
        "x-hop: 1",
        "--ip",
        "::ffff:1.2.3.4",
        "--geo",
        "eu/de-be",
        "--host",
        "api.example.com",
      ],
    );
    expect([code, err]).toEqual([0, ""]);
    const lines = out.split("\n");
    expect(lines.slice(0, 6)).toEqual([
      "GET /api/users/a%20b?x=1 to api.example.com from 1.2.3.4, DE",
      "route     GET, POST /api/users/:id  routes[0]",
      "params    id = a b",
      "shaped by where",
      "verdict   goes on to the backend shop",
      `sends     GET ${backend}/\${env.SECRET_PATH}/people/a%20b?x=1`,
    ]);
    const fields = lines.slice(6).map((line) => line.trim());
    expect(fields).toEqual(
      expect.arrayContaining([
        `host: ${new URL(backend).host}`,
        "cookie: a=b",
        "x-forwarded-for: 1.2.3.4",
        "x-forwarded-host: api.example.com",
        "authorization: Bearer ${env.SHOP_TOKEN}",
        "x-country: DE",
        "x-copied: ${env.SECRET_PATH}",
      ]),
    );
    expect(out).not.toMatch(/6\.6\.6\.6|x-hop|x-gateway|s3cret|hidden-path/);
  });

  test("a refusal by a policy, and what was not reached", async () => {
    expect(await explained("GET /partners/x")).toMatchObject({
      route: { position: "routes[1]", path: "/partners/*" },
      params: { rest: "x" },
      steps: [
        {
          policy: "partners-only",
          phase: "screen",
          mode: "enforce",
          verdict: "refused",
          code: "not-allowed",
          reason: "no x-partner",
          ms: expect.any(Number),
        },
      ],
      verdict: "refused",
      code: "not-allowed",
      reason: "no x-partner",
      answers: {
        status: 403,
        headers: expect.arrayContaining([
          ["x-gateway-error", "not-allowed"],
          ["x-token", "${env.SHOP_TOKEN}"],
        ]),
      },
    });
    const { out } = await explain("GET /partners/x");
    expect(out).toMatch(/^steps {5}partners-only {2}screen {2}refused {2}\d+\.\d ms {2}not-allowed: no x-partner$/m);
    expect(out).toContain("verdict   refused: not-allowed 403, no x-partner");
    expect(await explained("GET /partners/x", "--header", "x-partner: yes")).toMatchObject({
      verdict: "sent",
      sends: { url: `${backend}/x` },
    });
  });

  test("a policy in shadow mode, and the answer that the gateway gives itself", async () => {
    const { out } = await explain("GET /soon?q=%22hi");
    expect(out).toMatch(
      /^steps {5}partners-soon {2}screen {2}would refuse {2}\d+\.\d ms {2}not-allowed: no x-partner\n {10}respond {8}answer {2}answered/m,
    );
    expect(out).toContain("verdict   answered by the gateway itself: 200");
    expect(out).toContain('{"token":"${env.SHOP_TOKEN}","query":"\\"hi"}');
    expect(out).not.toContain("s3cret");
  });

  test("405 says what is allowed", async () => {
    const { out } = await explain("DELETE /api/users/7");
    expect(out).toContain("verdict   refused: method-not-allowed 405, the path serves GET, HEAD, POST");
    expect(out).toContain("          allow: GET, HEAD, POST\n");
  });

  test.each([
    ["GET /api/usres/7", "/api/users/:id", '"usres" is not "users"'],
    ["GET /api/users/7/", "/api/users/:id", "it does not end in a slash"],
    ["GET /api/users/7/orders", "/api/users/:id", "it has nothing below: /api/users/:id/* would"],
    ["GET /api/users", "/api/users/:id", "it goes on with /:id"],
    ["GET /beta", "/beta", "it asks for the header x-beta"],
    ["GET /hosted", "/hosted", "it asks for the host api.example.com"],
  ])("404 of %s says that %s is near", async (request, path, because) => {
    const { verdict, code, route, near } = await explained(request);
    expect([verdict, code, route]).toEqual(["refused", "route-not-found", null]);
    expect(near[0]).toMatchObject({ path, because });
  });

  test("404 with nothing near", async () => {
    expect((await explained("GET /nowhere/near/anything")).near).toEqual([]);
  });

  test("conditions hold their real values, which are not shown", async () => {
    expect(await explained("GET /beta", "--header", "x-beta: s3cret")).toMatchObject({
      verdict: "answered",
      answers: { status: 200, body: "beta" },
    });
  });

  test.each([["GET /api/users/%2e%2e/admin", 400, "bad-request", "There is a dot segment in the path."]])(
    "%s is refused by the guard",
    async (request, status, code, reason) => {
      expect(await explained(request)).toMatchObject({ route: null, verdict: "refused", code, reason, answers: { status } });
    },
  );

  test("a body: sent on, or too large by its own or its stated length", async () => {
    expect((await explained("POST /api/users/7", "--body", "hällo")).sends).toMatchObject({
      method: "POST",
      bodyBytes: 6,
      headers: expect.arrayContaining([["Content-Length", "6"]]),
    });
    const large = ["a".repeat(1025), "--header", "transfer-encoding: chunked"];
    expect(await explained("POST /api/users/7", "--body", ...large)).toMatchObject({
      code: "payload-too-large",
      answers: { status: 413 },
    });
    expect(await explained("POST /api/users/7", "--header", "content-length: 1025")).toMatchObject({ code: "payload-too-large" });
    const { frontdesk } = checkout({ "gateway.config.ts": CONFIG, "body.json": "{}" }, { BACKEND: backend, ...SECRETS });
    expect((await frontdesk("explain", "POST /api/users/7", "--body", "@body.json")).out).toContain("(a body of 2 bytes)");
    expect(await frontdesk("explain", "POST /api/users/7", "--body", "@none.json")).toMatchObject({ code: 2, out: "" });
  });

  test("the engine's own endpoints, and who may see them", async () => {
    expect(await explained("GET /gateway/health")).toMatchObject({
      route: null,
      verdict: "answered",
      answers: { body: '{"status":"ok"}\n' },
    });
    const { frontdesk } = checkout(
      { "gateway.config.ts": CONFIG },
      { BACKEND: backend, ...SECRETS, GATEWAY_ADMIN_TOKEN: "0123456789abcdef" },
    );
    expect((await frontdesk("explain", "/gateway")).out).toContain("refused: credentials-missing 401");
    expect((await frontdesk("explain", "/gateway", "--header", "authorization: Bearer 0123456789abcdef")).out).toContain(
      "a page of the console",
    );
  });

  test("nothing is sent, not even by a custom policy", async () => {
    const { steps, verdict, logged } = await explained("GET /call");
    expect(steps).toMatchObject([{ policy: "caller", verdict: "failed" }]);
    expect([verdict, logged]).toEqual(["refused", [expect.stringMatching(/^a policy threw: caller: /)]]);
    expect((await explained("GET /api/users/7")).verdict).toBe("sent");
    expect(connections).toBe(0);
  });

  test("what came in can't steer the terminal", async () => {
    const { out } = await explain("GET /nowhere?\x1b[2J");
    expect(out).toContain("GET /nowhere?\\x1b[2J to localhost");
    expect(out).not.toContain("\x1b");
  });

  test.each([
    [["explain"], "it needs a request"],
    [["explain", "GET /a b c"], '"GET /a b c" is not a request'],
    [["explain", "orders"], '"orders" is not a request: frontdesk explain "GET /path?query".'],
    [["explain", "GET orders"], '"GET orders" is not a request'],
    [["explain", "GET ftp://h/x"], '"GET ftp://h/x" is not a request'],
    [["explain", "/", "--header", "nonsense"], '--header "nonsense" is not "name: value".'],
    [["explain", "/", "--ip", "300.1.1.1"], '--ip "300.1.1.1" is not an IP address.'],
    [["explain", "/", "--geo", "Germany"], '--geo "Germany" is not a place'],
  ])("%j is a wrong call", async (args, message) => {
    const { code, out, err } = await checkout().frontdesk(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  });

  describe("a credential that somebody else must judge is not decided", () => {
    const config = JSON.stringify({
      backends: { shop: "http://127.0.0.1:1" },
      auth: {
        web: { jwt: { issuer: "https://login.example/", jwks: "https://login.example/keys", audience: "shop" } },
        partners: { apiKey: {} },
        portal: { forward: { url: "https://portal.example/auth", from: "cookies" } },
        staff: { basic: { users: { ada: "${env.ADA_PASSWORD:-correct horse}" } } },
      },
      routes: [
        { path: "/web", backend: "shop", auth: "web", scopes: "read" },
        { path: "/partners", backend: "shop", auth: "partners" },
        { path: "/portal", backend: "shop", auth: "portal" },
        { path: "/staff", backend: "shop", auth: "staff" },
      ],
    });
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { iss: "https://login.example/", aud: "shop", sub: "ann", exp: 4_000_000_000 };
    const token = [part({ alg: "RS256", kid: "k" }), part(claims), "c2ln"].join(".");
    const { key } = new KeyFormat("fd").make((bytes) => new Uint8Array(bytes));
    const ask = (target: string, ...args: string[]) =>
      checkout({ "shop.json": config }).frontdesk("explain", target, "--config", "shop.json", ...args);

    test.each([
      ["/web", `authorization: Bearer ${token}`, "https://login.example"],
      ["/partners", `authorization: Bearer ${key}`, "the store of API keys"],
      ["/portal", "cookie: sid=1", "https://portal.example"],
    ])("%s", async (target, header, askedOf) => {
      const { code, out } = await ask(target, "--header", header);
      expect(code).toBe(0);
      expect(out).toMatch(/^steps {5}auth +identify +undecided/m);
      expect(out).toContain(`verdict   not decided here: the credential would be checked with ${askedOf}`);
      expect(out).not.toMatch(/503|answers|store-unavailable/);
      const json = JSON.parse((await ask(target, "--header", header, "--json")).out);
      expect(json).toMatchObject({ verdict: "undecided", askedOf: [askedOf], steps: [{ policy: "auth", verdict: "undecided" }] });
      expect(json).not.toHaveProperty("answers");
      expect(json).not.toHaveProperty("code");
    });

    test.each([
      ["/web", [], "credentials-missing"],
      ["/web", ["--header", "authorization: Bearer nonsense"], "credentials-invalid"],
      ["/partners", ["--header", "authorization: Bearer fd_live_x"], "credentials-invalid"],
      ["/staff", ["--header", "authorization: Basic YWRhOndyb25n"], "credentials-invalid"],
    ])("%s %j is decided without it", async (target, args, code) => {
      expect(JSON.parse((await ask(target, ...args, "--json")).out)).toMatchObject({ verdict: "refused", code });
    });
  });

  test("a config that would not start is not explained", async () => {
    const { frontdesk } = checkout({ "gateway.config.ts": CONFIG }, { BACKEND: backend, SECRET_PATH: "x" });
    const { code, out, err } = await frontdesk("explain", "GET /");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain("the variable SHOP_TOKEN is not set.");
  });
});

describe("frontdesk routes", () => {
  test("lists them in the order in which they are asked", async () => {
    const { frontdesk } = checkout({ "gateway.config.ts": CONFIG }, { BACKEND: backend, ...SECRETS });
    const { code, out } = await frontdesk("routes");
    expect(code).toBe(0);
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ["METHODS", "PATH", "WHEN", "GOES TO", "STEPS", "IN THE CONFIG"],
      ["any method", "api.example.com/hosted", "answers 200 itself (text/plain; charset=utf-8)", "headers", "routes[5]"],
      ["GET, POST", "/api/users/:id", "backend shop", "where, headers", "routes[0]"],
      [
        "any method",
        "/beta",
        "header x-beta = ${env.SHOP_TOKEN}",
        "answers 200 itself (text/plain; charset=utf-8)",
        "headers",
        "routes[4]",
      ],
      ["any method", "/call", "backend shop", "caller, headers", "routes[3]"],
      ["any method", "/partners/*", "backend shop", "partners-only, headers", "routes[1]"],
      ["any method", "/soon", "answers 200 itself (application/json)", "partners-soon (shadow), headers", "routes[2]"],
    ]);
    const { out: json } = await frontdesk("routes", "--json");
    expect(JSON.parse(json)[1]).toMatchObject({
      position: "routes[0]",
      goesTo: { backend: "shop", example: { to: `${backend}/\${env.SECRET_PATH}/people/7` } },
    });
  });
});
