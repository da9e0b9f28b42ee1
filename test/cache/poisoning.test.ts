/** One caller can't decide what others get: unkeyed fields, another method, a body, another path, odd ranges, dropped parameters. */
import { describe, expect, test } from "vitest";
import type { Policy } from "#lib/contract/policy.ts";
import type { ReceivedRequest } from "../support/backend.ts";
import { cachedBackend, saidBy } from "./cached-backend.ts";

const cached = cachedBackend();

/** A backend that puts into its answer whatever could be slipped in. */
function echo(path = "/"): void {
  cached.backend.on(path, (received, response) => {
    const { headers, target, body } = received;
    response.setHeader("date", new Date(cached.nowMs).toUTCString());
    response.end(JSON.stringify([target, [...headers].filter(([name]) => /^x-|^forwarded/i.test(name)), body.toString()]));
  });
}

const OVERRIDES = [
  "x-http-method-override",
  "X-HTTP-Method",
  "x-method-override",
  "x-original-url",
  "x_rewrite_url",
  "x-original-host",
  "x-host",
];

test.each(OVERRIDES)("%s changes nothing that is stored: the backend never gets it", async (name) => {
  const send = cached.route("1m");
  echo();
  const first = await send({ headers: { [name]: "evil" } });
  expect(first.text).not.toContain("evil");
  expect((await send()).text).toBe(first.text);
});

test.each(OVERRIDES)("where it may pass, a request with %s neither fills the cache nor is answered from it", async (name) => {
  const send = cached.route("1m", { overrides: "pass" });
  echo();
  expect(saidBy(await send({ headers: { [name]: "evil" } }))).toBe("fwd=bypass");
  expect((await send()).text).not.toContain("evil");
  expect(saidBy(await send({ headers: { [name]: "evil" } }))).toBe("fwd=bypass");
});

describe("a variant is that of what the backend got", () => {
  const tenant = (received: ReceivedRequest) => ({ "x-served": received.headers.get("x-tenant") ?? "nobody" });

  test("a field that Connection names chooses none", async () => {
    const send = cached.route({ ttl: "1m", vary: ["x-tenant"] });
    cached.answer("/", tenant);
    await send({ headers: { "x-tenant": "victim", connection: "x-tenant" } });
    expect((await send({ headers: { "x-tenant": "victim" } })).headers.get("x-served")).toBe("victim");
  });

  test("nor where the backend says what it varies by", async () => {
    const send = cached.route("1m");
    cached.answer("/", (received) => ({ vary: "x-tenant", ...tenant(received) }));
    await send({ headers: { "x-tenant": "victim", connection: "close, X_Tenant" } });
    expect((await send({ headers: { "x-tenant": "victim" } })).headers.get("x-served")).toBe("victim");
  });

  test("a lookalike chooses the same, and two spellings none", async () => {
    const send = cached.route({ ttl: "1m", vary: ["x-tenant"] });
    cached.answer("/", tenant);
    await send({ headers: { x_tenant: "victim" } });
    expect((await send()).headers.get("x-served")).toBe("nobody");
    expect((await send({ headers: { x_tenant: "victim", "x-tenant": "other" } })).status).toBe(400);
  });
});

test.each([
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-forwarded-scheme",
  "x-forwarded-prefix",
  "x-forwarded-server",
  "forwarded",
  "x-real-ip",
])("%s of a caller never reaches the backend, so it can't be in a stored answer", async (name) => {
  const send = cached.route("1m");
  echo();
  expect((await send({ headers: { [name]: "evil.example" } })).text).not.toContain("evil");
});

test("a GET with a body is not the GET without one (fat GET)", async () => {
  const send = cached.route("1m");
  echo();
  expect(saidBy(await send({ body: "evil" }))).toBe("fwd=bypass");
  expect((await send()).text).not.toContain("evil");
});

test("a dropped parameter is not sent on, in no spelling", async () => {
  const send = cached.route({ ttl: "1m", query: { drop: "utm" } });
  echo();
  for (const query of ["utm=evil", "%75tm=evil", "u%74m=evil&utm=evil"]) {
    const { text } = await send(`/?a=1&${query}`);
    expect(text).not.toContain("evil");
  }
  expect(cached.backend.requests).toHaveLength(1);
});

test("a value of a dropped parameter that a header takes is in the key all the same", async () => {
  const send = cached.route({ ttl: "1m", query: { keep: "a" } }, { headers: { request: { set: { "x-b": "${query.b}" } } } });
  echo();
  expect((await send("/?a=1&b=evil")).text).toContain("evil");
  expect((await send("/?a=1")).text).not.toContain("evil");
});

test("a rewrite by a field of the request is in the key", async () => {
  const { send } = cached.gateway([{ path: "/me", rewrite: "/of/${request.headers.x-who}", cache: "1m" }]);
  echo("/of/a");
  echo("/of/b");
  for (const who of ["a", "b"]) expect((await send({ target: "/me", headers: { "x-who": who } })).text).toContain(`/of/${who}`);
});

describe("path confusion", () => {
  test("another spelling of a path is another key, and is purged with it", async () => {
    const { send, gateway } = cached.gateway([{ path: "/a/*", cache: "1m" }]);
    echo("/a/x");
    echo("/%61/x");
    await send({ target: "/a/x" });
    const odd = await send({ target: "/%61/x" });
    expect([odd.record.source, JSON.parse(odd.text)[0]]).toEqual(["backend", "/%61/x"]);
    expect(await gateway.purge({ path: "/a/x" })).toEqual({ state: "ok", value: 2 });
  });

  test.each(["/account/x.css", "/account;x.css", "/account/%2e%2e/x.css"])(
    "%s stores nothing of a route without a cache",
    async (target) => {
      // Web cache deception: the cached route is for assets, by path and not by how a name ends.
      const { send } = cached.gateway([{ path: "/assets/*", cache: "1m" }, { path: "/*" }]);
      echo(target);
      for (let i = 0; i < 2; i++) {
        const answer = await send({ target });
        if (answer.status !== 400) expect([answer.record.source, saidBy(answer)]).toEqual(["backend", "none"]);
      }
    },
  );
});

describe("ranges", () => {
  test("a part is never stored, and never given for the whole", async () => {
    const send = cached.route("1m");
    cached.backend.on("/", ({ headers }, response) => {
      if (headers.has("range"))
        response.writeHead(206, { "content-range": "bytes 0-1/6", "cache-control": "max-age=60" }).end("ab");
      else response.writeHead(200, { "content-length": "6" }).end("abcdef");
    });
    expect((await send({ headers: { range: "bytes=0-1" } })).status).toBe(206);
    const whole = await send();
    expect([whole.status, whole.text]).toEqual([200, "abcdef"]);
  });

  test.each([
    ["bytes=0-1", 206, "ab", "bytes 0-1/6"],
    ["bytes=-2", 206, "ef", "bytes 4-5/6"],
    ["bytes=4-99", 206, "ef", "bytes 4-5/6"],
    ["bytes=9-", 416, "", "bytes */6"],
    ["bytes=-0", 416, "", "bytes */6"],
    // Ignored, as a server may: many small ones would cost far more than they ask for.
    ["bytes=0-0,2-2,4-4", 200, "abcdef", undefined],
    ["bytes=3-1", 200, "abcdef", undefined],
    ["lines=0-1", 200, "abcdef", undefined],
    ["bytes=0-1 evil", 200, "abcdef", undefined],
  ])("%s of a stored answer: %i", async (range, status, text, contentRange) => {
    const send = cached.route("1m");
    cached.answer("/", {}, { body: "abcdef" });
    await send();
    const answer = await send({ headers: { range } });
    expect([answer.status, answer.text, answer.headers.get("content-range")]).toEqual([status, text, contentRange]);
    expect(answer.headers.all("content-length")).toEqual([String(text.length)]);
    expect(cached.backend.requests).toHaveLength(1);
  });

  test.each([
    ['"1"', 206],
    ['"2"', 200],
    ['W/"1"', 200],
    ["Wed, 02 Jan 2030 03:04:05 GMT", 200],
  ])("If-Range %s: %i (RFC 9110 section 13.1.5)", async (condition, status) => {
    const send = cached.route("1m");
    cached.answer("/", { etag: '"1"' });
    await send();
    expect((await send({ headers: { range: "bytes=0-1", "if-range": condition } })).status).toBe(status);
  });
});

describe("Vary", () => {
  test.each(["X-Forwarded-For", "X-Request-Id", "Traceparent", "Via", "X-Gateway-Consumer", "Forwarded"])(
    "by %s, which the gateway writes itself, can't be keyed by what callers send",
    async (name) => {
      const send = cached.route("1m");
      cached.answer("/", { vary: name });
      expect(saidBy(await send())).toBe("fwd=uri-miss; detail=vary");
    },
  );

  test.each([
    ["accept-encoding", "gzip, br", "BR,gzip", true],
    ["accept-language", "en, de", "EN,de", true],
    // Many servers take the first.
    ["accept-language", "en, de", "de, en", false],
    ["x-a", "1,2", "1 , 2", true],
    ["x-a", "1", "1,", false],
    ["x-a", "", undefined, false],
  ])("%s: %j and %j are one: %s", async (name, one, other, isOne) => {
    const send = cached.route("1m");
    cached.answer("/", { vary: name });
    await send({ headers: { [name]: one } });
    const { record } = await send(other === undefined ? {} : { headers: { [name]: other } });
    expect(record.source).toBe(isOne ? "cache" : "backend");
  });

  test("two lists of fields do not mix: the later one decides", async () => {
    const send = cached.route("1m");
    cached.answer("/", ({ headers }) => ({ vary: headers.has("x-new") ? "x-b" : "x-a" }));
    await send({ headers: { "x-a": "1" } });
    await send({ headers: { "x-a": "2", "x-new": "1", "x-b": "9" } });
    expect((await send({ headers: { "x-a": "1" } })).record.source).toBe("backend");
  });
});

describe("custom policies", () => {
  const shaping = (more: object) => ({
    name: "shaping",
    create: (): Policy => ({
      onRequest: (exchange, { headers }) => headers.set("x-theme", exchange.request.headers.get("cookie") ?? "none"),
      ...more,
    }),
  });

  test("one that says by what it shapes requests has that in the key", async () => {
    const send = cached.route(
      { ttl: "1m", cookies: "ignore" },
      {
        use: shaping({
          cacheKey: (e: never) => (e as { request: { headers: Map<string, string> } }).request.headers.get("cookie") ?? "",
        }),
      },
    );
    echo();
    for (const cookie of ["dark", "light"]) expect((await send({ headers: { cookie } })).text).toContain(cookie);
    expect((await send({ headers: { cookie: "dark" } })).record.source).toBe("cache");
  });

  test("one that does not say it switches the cache off", () => {
    const send = cached.route("1m", { use: shaping({}) });
    echo();
    return Promise.all([send({ headers: { cookie: "dark" } }), send({ headers: { cookie: "light" } })]).then((answers) => {
      expect(answers.map(({ text }) => /dark|light/.exec(text)![0])).toEqual(["dark", "light"]);
      expect(answers.map(saidBy)).toEqual(["none", "none"]);
    });
  });
});
