/** `forward`: what a service is asked, and what its answers mean, by a real one on loopback. */
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { HeaderList } from "#lib/http/header-list.ts";
import type { Sent } from "../../policies/gateway.ts";
import { ADA, BOB, BROWSER, gatewayWith, reasonOf, type Setting, service } from "./gateway-with.ts";

function askedHeaders(index = 0): Record<string, string[]> {
  const { headers } = service.asked[index]!;
  const all = new HeaderList([...headers]);
  return Object.fromEntries([...all].map(([name]) => [name.toLowerCase(), all.all(name.toLowerCase())]));
}

describe("what it is asked", () => {
  test("the request line as the gateway saw it, by GET and without a body, whatever the caller sent", async () => {
    const sent: Sent = {
      method: "POST",
      target: "/orders/1?q=%20x",
      ip: "203.0.113.7",
      headers: {
        ...ADA,
        cookie: "a=1; sid=2",
        "x-forwarded-method": "GET",
        "x-forwarded-uri": "/public",
        "x-forwarded-for": "10.0.0.1",
        "x-forwarded-host": "evil.example",
        "x-original-url": "/public",
        "x-auth-request-user": "root",
        "content-length": "3",
      },
    };
    await gatewayWith().send(sent);
    expect(service.asked).toMatchObject([{ method: "GET", path: "/auth", body: "" }]);
    const { host, connection, traceparent, "x-request-id": id, ...rest } = askedHeaders();
    expect(rest).toEqual({
      authorization: ["Bearer ada"],
      cookie: ["a=1; sid=2"],
      "x-forwarded-method": ["POST"],
      "x-forwarded-proto": ["http"],
      "x-forwarded-host": ["gateway.example"],
      "x-forwarded-uri": ["/orders/1?q=%20x"],
      "x-forwarded-for": ["203.0.113.7"],
    });
    expect([host, connection]).toEqual([[new URL(service.url).host], ["keep-alive"]]);
    expect(traceparent).toHaveLength(1);
    expect(id).toHaveLength(1);
  });

  test("one cookie alone, further fields, and cookies that came in several fields as one", async () => {
    await gatewayWith({ from: "cookie:sid", include: ["Accept-Language"] }).send({
      headers: { ...ADA, cookie: "a=1; sid=ada; b=2", "accept-language": "de" },
    });
    expect(askedHeaders()).toMatchObject({ cookie: ["sid=ada"], "accept-language": ["de"] });
    expect(askedHeaders()).not.toHaveProperty("authorization");
    await gatewayWith().send({ headers: ["cookie", "a=1", "cookie", "sid=ada"] });
    expect(askedHeaders(1)).toMatchObject({ cookie: ["a=1; sid=ada"] });
  });

  test("nothing where two credentials stand in one place", async () => {
    for (const headers of [
      ["authorization", "Bearer ada", "authorization", "Bearer bob"],
      ["authorization", "Bearer ada, Bearer bob"],
      ["authorization", "Bearer ada", "x-key", "1, 2"],
    ]) {
      const answer = await gatewayWith({ from: ["authorization", "x-key"] }).send({ headers });
      expect(answer.status, headers.join()).toBe(401);
      expect(reasonOf(answer)).toMatch(/several credentials/);
    }
    expect(service.asked).toEqual([]);
  });

  test("a scheme whose parameters have commas", async () => {
    await gatewayWith().send({ headers: { authorization: 'Digest username="ada", realm="x"' } });
    expect(askedHeaders()).toMatchObject({ authorization: ['Digest username="ada", realm="x"'] });
  });
});

describe("what its answers mean", () => {
  test.each([
    ["2xx with a subject", ADA, 200, "sso:ada|ada|"],
    ["401 to a credential", { authorization: "Bearer eve" }, 401, "credentials-invalid"],
    ["401 without a credential", {}, 401, "credentials-missing"],
    ["403", BOB, 403, "not-allowed"],
    ["a redirect", { target: "/start" }, 503, "store-unavailable"],
  ])("%s", async (_, { target = "/", ...headers }: Record<string, string>, status, text) => {
    const answer = await gatewayWith().send({ target, headers });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
  });

  test.each([100, 204, 300, 304, 400, 404, 407, 429, 500, 502, 503])("%i without more is no answer: 503", async (status) => {
    service.answer = (_, response) => {
      if (status === 100) response.writeContinue();
      response.writeHead(status === 100 ? 500 : status).end();
    };
    const answer = await gatewayWith({ redirect: true }).send({ headers: ADA });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(answer.text).not.toContain(service.url);
  });

  test.each([
    ["no subject", []],
    ["an empty one", ["x-auth-request-user", ""]],
    ["two subjects", ["x-auth-request-user", "ada", "X-Auth-Request-User", "root"]],
  ])("%s: 503, nobody is let in unnamed", async (_, fields) => {
    service.answer = (__, response) => response.writeHead(200, fields).end();
    const answer = await gatewayWith().send({ headers: ADA });
    expect(answer.status).toBe(503);
    expect(reasonOf(answer)).toContain("does not say who it is: `x-auth-request-user`");
  });

  test("a challenge for those who present Authorization, one of your own, or none", async () => {
    const challengeOf = async (setting: Setting) => (await gatewayWith(setting).send()).headers.all("www-authenticate");
    expect(await challengeOf({})).toEqual(['Bearer realm="frontdesk"']);
    expect(await challengeOf({ challenge: 'DPoP algs="ES256"' })).toEqual(['DPoP algs="ES256"']);
    expect(await challengeOf({ from: "cookie:sid" })).toEqual([]);
  });

  test("scopes, roles, tier and claims, as far as the config speaks of them", async () => {
    const mapped = {
      scopes: "X-Scopes",
      roles: "x-auth-request-groups",
      tier: "x-tier",
      claims: { email: "x-auth-request-email", other: "x-scopes" },
    };
    const respond = { body: "${consumer.tier}|${claims.email}" };
    const gateway = gatewayWith(mapped, [
      { path: "/a", auth: "sso", scopes: ["orders:read", "orders:write"], roles: "Domain Users", respond },
      { path: "/b", auth: "sso", scopes: "admin" },
      { path: "/c", auth: "sso", roles: "Domain" },
      { path: "/users/:id", auth: "sso", owner: { param: "id", claim: "sub" } },
    ]);
    const send = async (target: string) => gateway.send({ target, headers: ADA });
    expect(await send("/a")).toMatchObject({ status: 200, text: "pro|ada@shop.example" });
    expect((await send("/b")).status).toBe(403);
    expect((await send("/c")).status).toBe(403);
    expect((await send("/users/ada")).status).toBe(200);
    expect((await send("/users/bob")).status).toBe(403);
  });

  test("a subject in UTF-8 or latin-1, encoded so that it fits a field", async () => {
    const idFor = async (user: Buffer) => {
      service.answer = (_, response) => response.writeHead(200, { "x-auth-request-user": user.toString("latin1") }).end();
      return (await gatewayWith().send({ headers: ADA })).text.split("|")[0];
    };
    expect(await idFor(Buffer.from("zoë: %"))).toBe("sso:zo%C3%AB:%20%25");
    expect(await idFor(Buffer.from([0x7a, 0xeb]))).toBe("sso:z%C3%AB");
  });
});

describe("no answer", () => {
  test("nobody listens", async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => probe.once("listening", resolve));
    const { port } = probe.address() as { port: number };
    await new Promise((resolve) => probe.close(resolve));
    const answer = await gatewayWith({ url: `http://127.0.0.1:${port}/` }).send({ headers: ADA });
    expect(answer.status).toBe(503);
    expect(reasonOf(answer)).toBe("sso: the service gave no answer (ECONNREFUSED)");
  });

  test("it is slow, at its head or in its body", async () => {
    service.answer = () => {};
    const answer = await gatewayWith({ timeout: "20ms" }).send({ headers: ADA });
    expect([answer.status, reasonOf(answer)]).toEqual([503, "sso: the service gave no answer (it took too long)"]);
    service.answer = (_, response) => response.writeHead(200, { "x-auth-request-user": "ada" }).write("…");
    expect((await gatewayWith({ timeout: "20ms" }).send({ headers: ADA })).status).toBe(503);
  });

  test.each([
    ["garbage", "SSH-2.0-OpenSSH\r\n\r\n"],
    ["a field that ends a line", "HTTP/1.1 200 OK\r\nx-auth-request-user: a\rX-Y: b\r\n\r\n"],
    ["a control character", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-auth-request-user: a\x01b\r\n\r\n"],
    ["a head of 40 KB", `HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-auth-request-user: ada\r\nx: ${"x".repeat(40_960)}\r\n\r\n`],
    ["a body of 2 MB", `HTTP/1.1 200 OK\r\ncontent-length: 2097152\r\nx-auth-request-user: ada\r\n\r\n${"x".repeat(2_097_152)}`],
    ["an end within the head", "HTTP/1.1 200 OK\r\nx-auth-request-user: ada\r\n"],
  ])("%s", async (_, bytes) => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end(bytes, "latin1"));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const answer = await gatewayWith({ url: `http://127.0.0.1:${port}/` }).send({ headers: ADA });
    server.close();
    expect(answer.status).toBe(503);
  });
});

describe("redirects, where they are wanted", () => {
  const start = (headers: Record<string, string>, method = "GET", setting: Setting = {}) =>
    gatewayWith({ redirect: true, ...setting }).send({ method, target: "/start", headers });

  test.each([
    ["a browser that opens a page", BROWSER, "GET"],
    ["by HEAD", BROWSER, "HEAD"],
    ["one without Fetch Metadata", { accept: "text/html,*/*" }, "GET"],
    ["with a session that is over", { ...BROWSER, cookie: "sid=old" }, "GET"],
  ])("%s is sent to log in", async (_, headers, method) => {
    const answer = await start(headers, method);
    expect(answer.status).toBe(302);
    expect(answer.headers.get("location")).toBe("https://login.example/?rd=start");
    expect(answer.headers.get("set-cookie")).toBe("csrf=1; HttpOnly");
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test.each([
    ["a script", { "sec-fetch-mode": "cors", accept: "text/html" }, "GET", "credentials-missing"],
    ["a program", { accept: "*/*" }, "GET", "credentials-missing"],
    ["a form", BROWSER, "POST", "credentials-missing"],
    ["a WebSocket", { accept: "text/html", upgrade: "websocket", connection: "upgrade" }, "GET", "credentials-missing"],
    ["a program with a token", { accept: "*/*", authorization: "Bearer x" }, "GET", "credentials-invalid"],
  ])("%s gets 401", async (_, headers, method, code) => {
    const answer = await start(headers as Record<string, string>, method);
    expect(answer.status).toBe(401);
    expect(answer.text).toContain(code);
    expect(answer.headers.has("location")).toBe(false);
    expect(answer.headers.has("set-cookie")).toBe(false);
  });

  test.each(["javascript:alert(1)", "login", "http://", "data:text/html,x", "https://a b.example/"])(
    "%s leads to no page: 503",
    async (location) => {
      service.answer = (_, response) => response.writeHead(302, { location }).end();
      expect((await start(BROWSER)).status).toBe(503);
    },
  );

  test("with `optional` a caller without credentials passes instead", async () => {
    const gateway = gatewayWith({ redirect: true }, [{ path: "/*", auth: { optional: "sso" } }]);
    expect((await gateway.send({ target: "/start", headers: BROWSER })).status).toBe(200);
  });
});
