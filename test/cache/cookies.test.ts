/** Cookies under the config's own `ttl`: nobody but the config says that such an answer is for others. */
import { describe, expect, test } from "vitest";
import { cachedBackend, saidBy } from "./cached-backend.ts";

const cached = cachedBackend();
const ann = { headers: { cookie: "sid=ann" } };
const bob = { headers: { cookie: "sid=bob" } };

/** A backend that knows its callers by a cookie, and does not say so. */
function personal(fields: Readonly<Record<string, string>> = {}): void {
  cached.backend.on("/", ({ headers, method }, response) => {
    const text = `for ${headers.get("cookie") ?? "anybody"}`;
    response.writeHead(200, { date: new Date(cached.nowMs).toUTCString(), "content-length": String(text.length), ...fields });
    response.end(method === "HEAD" ? undefined : text);
  });
}

describe("the backend gives no freshness", () => {
  test("each caller with cookies gets its own answer, and none is stored", async () => {
    const send = cached.route("1m");
    personal();
    expect((await send(ann)).text).toBe("for sid=ann");
    const second = await send(bob);
    expect([second.text, saidBy(second)]).toEqual(["for sid=bob", "fwd=uri-miss; detail=cookie"]);
    expect((await send()).text).toBe("for anybody");
  });

  test("what is stored for others is not for them, and stays", async () => {
    const send = cached.route("1m");
    personal();
    await send();
    const own = await send(ann);
    expect([own.text, saidBy(own)]).toEqual(["for sid=ann", "fwd=bypass; detail=cookie"]);
    expect((await send({ method: "HEAD", ...ann })).record.source).toBe("backend");
    expect((await send()).record.source).toBe("cache");
  });

  test("also where `override` puts the config's time in place of the backend's", async () => {
    const send = cached.route({ ttl: "1m", override: true });
    personal({ "cache-control": "max-age=5" });
    await send();
    expect((await send(ann)).text).toBe("for sid=ann");
  });

  test("callers with cookies who wait for one another all get their own; those without wait for none of them", async () => {
    const send = cached.route("1m");
    personal();
    const all = await Promise.all([send(ann), send(bob), send(), send()]);
    expect(all.map(({ text }) => text)).toEqual(["for sid=ann", "for sid=bob", "for anybody", "for anybody"]);
    expect(cached.backend.requests).toHaveLength(3);
  });

  test("a caller's cookie does not send the others to the backend", async () => {
    const send = cached.route("1m");
    personal();
    await send(ann);
    await Promise.all([send(), send(), send()]);
    expect(cached.backend.requests).toHaveLength(2);
  });
});

describe("answered from what is stored all the same", () => {
  test("where the backend said for how long", async () => {
    const send = cached.route("1m");
    personal({ "cache-control": "max-age=60" });
    await send(ann);
    expect((await send(bob)).record.source).toBe("cache");
  });

  test("with `cookies: ignore`", async () => {
    const send = cached.route({ ttl: "1m", cookies: "ignore" });
    personal();
    await send(ann);
    expect((await send(bob)).text).toBe("for sid=ann");
  });

  test.each([{ vary: "cookie" }, {}])("each cookie by itself where %o or the backend varies by it", async (more) => {
    const send = cached.route({ ttl: "1m", ...more });
    personal("vary" in more ? {} : { vary: "Cookie" });
    for (const caller of [ann, bob]) await send(caller);
    const again = await Promise.all([ann, bob].map((caller) => send(caller)));
    expect(again.map(({ text, record }) => [text, record.source])).toEqual([
      ["for sid=ann", "cache"],
      ["for sid=bob", "cache"],
    ]);
  });

  test("a consumer's own answers, under `perConsumer`", async () => {
    const identify = {
      name: "identify",
      cacheable: true,
      create: () => ({
        decide(exchange: { consumer: unknown }) {
          exchange.consumer = { id: "test:ann", authenticator: "test" };
        },
      }),
    };
    const send = cached.route({ ttl: "1m", perConsumer: true }, { use: identify });
    personal();
    await send(ann);
    expect((await send(ann)).record.source).toBe("cache");
  });
});

describe("content codings", () => {
  test("a coded answer is not for a caller who did not ask for it, whether or not the backend says Vary", async () => {
    const send = cached.route("1m");
    cached.backend.on("/", ({ headers }, response) => {
      const coded = headers.get("accept-encoding") === "gzip";
      response.writeHead(200, { "content-length": "1", ...(coded && { "content-encoding": "gzip" }) }).end(coded ? "z" : "p");
    });
    const coded = await send({ headers: { "accept-encoding": "gzip" } });
    expect(coded.headers.get("vary")).toBe("accept-encoding");
    expect((await send({ headers: { "accept-encoding": "gzip" } })).record.source).toBe("cache");
    expect((await send()).text).toBe("p");
  });
});
