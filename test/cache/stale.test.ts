/** Validation (RFC 9111 section 4.3), stale answers (4.2.4, RFC 5861), invalidation (4.4), and what callers may ask (5.2.1). */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { cachedBackend, saidBy } from "./cached-backend.ts";

const cached = cachedBackend();
const later = (seconds: number) => {
  cached.nowMs += seconds * 1000;
};

describe("validation", () => {
  test("asks by the stored validators, not by the caller's", async () => {
    const send = cached.route(true);
    cached.answer("/", { "cache-control": "max-age=1", etag: '"1"', "last-modified": "Tue, 01 Jan 2030 00:00:00 GMT" });
    await send();
    later(2);
    await send({ headers: { "if-none-match": '"9"', "if-modified-since": "Tue, 01 Jan 2019 00:00:00 GMT" } });
    const { headers } = await cached.backend.last();
    expect([headers.get("if-none-match"), headers.get("if-modified-since")]).toEqual(['"1"', "Tue, 01 Jan 2030 00:00:00 GMT"]);
  });

  test("304 renews the fields that it brings, and not those of the body", async () => {
    const send = cached.route(true);
    cached.answer("/", { "cache-control": "max-age=1", etag: '"1"', "x-a": "1", "x-b": "1", "content-type": "text/plain" });
    await send();
    later(2);
    cached.answer("/", { "cache-control": "max-age=60", etag: '"1"', "x-a": "2", "content-length": "99" }, { status: 304 });
    const renewed = await send();
    expect(saidBy(renewed)).toBe("fwd=stale; fwd-status=304; stored");
    for (const { status, text, headers, record } of [renewed, await send()]) {
      expect([status, text, record.source]).toEqual([200, "answer 1", "cache"]);
      expect(["x-a", "x-b", "content-length"].map((name) => headers.all(name))).toEqual([["2"], ["1"], ["8"]]);
    }
  });

  test("304 with another strong validator renews nothing: it is asked again, whole (section 4.3.4)", async () => {
    const send = cached.route(true);
    cached.answer("/", { "cache-control": "max-age=1", etag: '"1"' });
    await send();
    later(2);
    cached.backend.on("/", ({ headers }, response) => {
      if (headers.has("if-none-match")) response.writeHead(304, { etag: '"2"', "cache-control": "max-age=60" }).end();
      else response.writeHead(200, { etag: '"2"', "cache-control": "max-age=60" }).end("new");
    });
    expect((await send()).text).toBe("new");
  });

  test("another answer takes its place; a caller who has it already gets 304", async () => {
    const send = cached.route(true);
    cached.answer("/", { "cache-control": "max-age=1", etag: '"1"' });
    await send();
    later(2);
    cached.answer("/", { "cache-control": "max-age=60", etag: '"2"' });
    const known = await send({ headers: { "if-none-match": 'W/"2"' } });
    expect([known.status, known.text, saidBy(known)]).toEqual([304, "", "fwd=stale; stored"]);
    expect((await send()).record.source).toBe("cache");
  });

  test("no-cache is kept and validated each time (section 5.2.2.4)", async () => {
    const send = cached.route(true);
    cached.answer("/", { "cache-control": "no-cache", etag: '"1"' });
    await send();
    cached.answer("/", { "cache-control": "no-cache", etag: '"1"' }, { status: 304 });
    expect([(await send()).text, (await send()).text]).toEqual(["answer 1", "answer 1"]);
    expect(cached.backend.requests).toHaveLength(3);
  });

  test.each([
    [{ "if-none-match": '"1"' }, 304],
    [{ "if-none-match": 'W/"1"' }, 304],
    [{ "if-none-match": '"0", "1"' }, 304],
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": '"0"' }, 200],
    [{ "if-modified-since": "Tue, 01 Jan 2030 00:00:00 GMT" }, 304],
    [{ "if-modified-since": "Tuesday, 01-Jan-30 00:00:00 GMT" }, 304],
    [{ "if-modified-since": "Tue Jan  1 00:00:00 2030" }, 304],
    [{ "if-modified-since": "Mon, 31 Dec 2029 23:59:59 GMT" }, 200],
    [{ "if-modified-since": "x" }, 200],
    // The tag goes before the date (RFC 9110 section 13.2.2).
    [{ "if-none-match": '"0"', "if-modified-since": "Tue, 01 Jan 2030 00:00:00 GMT" }, 200],
  ])("%j of a stored answer: %i", async (headers, status) => {
    const send = cached.route(true);
    cached.answer("/", {
      "cache-control": "max-age=60",
      etag: '"1"',
      "last-modified": "Tue, 01 Jan 2030 00:00:00 GMT",
      "x-a": "1",
    });
    await send();
    const answer = await send({ headers: headers as unknown as Record<string, string> });
    expect(answer.status).toBe(status);
    if (status === 304) {
      expect(answer.headers.pairs.filter((name) => /^content-(?:length|type)$|^last-modified$/i.test(name))).toEqual([]);
      expect(["etag", "x-a"].map((name) => answer.headers.get(name))).toEqual(['"1"', "1"]);
    }
    expect(cached.backend.requests).toHaveLength(1);
  });

  test.each(["if-match", "if-unmodified-since"])("%s is the backend's to judge", async (name) => {
    const send = cached.route("1m");
    cached.answer("/");
    await send();
    expect(saidBy(await send({ headers: { [name]: '"1"' } }))).toBe("fwd=bypass");
  });
});

describe("stale answers", () => {
  test("while one is fetched, everybody gets the old one; the new one is asked for once", async () => {
    const send = cached.route({ ttl: "1m", staleWhileRevalidate: "1m" });
    cached.answer("/");
    await send();
    later(90);
    const all = await Promise.all([send(), send(), send()]);
    expect(all.map(saidBy)).toEqual(Array(3).fill("hit; ttl=-30; detail=stale-while-revalidate"));
    await Promise.all(cached.deferred);
    expect(cached.backend.requests).toHaveLength(2);
    expect([(await send()).text, saidBy(await send())]).toEqual(["answer 2", "hit; ttl=60"]);
  });

  test("a refresh holds no place of its caller's limit once that has ended", async () => {
    const renewed = vi.spyOn(globalThis, "setInterval");
    const dropped = vi.spyOn(globalThis, "clearInterval");
    onTestFinished(() => void vi.restoreAllMocks());
    const limit = { requests: 1, algorithm: "concurrency" };
    const send = cached.route({ ttl: "1m", staleWhileRevalidate: "1m" }, { limit });
    cached.answer("/");
    await send();
    later(90);
    await send();
    await Promise.all(cached.deferred);
    expect(cached.backend.requests).toHaveLength(2);
    const timers = renewed.mock.results.map(({ value }) => value as unknown);
    expect(timers.length).toBeGreaterThan(0);
    expect(timers.filter((timer) => !dropped.mock.calls.some(([one]) => one === timer))).toEqual([]);
  });

  test("but not for longer, and not where the refresh finds the backend down", async () => {
    const send = cached.route({ ttl: "1m", staleWhileRevalidate: "1m" });
    cached.answer("/");
    await send();
    later(90);
    cached.backend.on("/", (_, response) => response.destroy());
    expect((await send()).status).toBe(200);
    await Promise.all(cached.deferred);
    later(31);
    expect((await send()).status).toBe(502);
  });

  test("while the backend is down or fails, and it says so", async () => {
    const send = cached.route({ ttl: "1m", staleIfError: "1h" });
    cached.answer("/");
    await send();
    later(90);
    cached.backend.on("/", (_, response) => response.destroy());
    const answer = await send();
    expect([answer.status, answer.text, answer.record.source]).toEqual([200, "answer 1", "cache"]);
    expect(saidBy(answer)).toBe("fwd=stale; ttl=-30; detail=stale-if-error");
    expect(answer.headers.get("age")).toBe("90");
    for (const status of [500, 502, 503, 504]) {
      cached.answer("/", {}, { status });
      expect(saidBy(await send())).toBe(`fwd=stale; fwd-status=${status}; ttl=-30; detail=stale-if-error`);
    }
    cached.answer("/", {}, { status: 501 });
    expect((await send()).status).toBe(501);
  });

  test.each(["must-revalidate", "proxy-revalidate", "s-maxage=1"])("never against %s (section 4.2.4)", async (word) => {
    const send = cached.route({ staleIfError: "1h", staleWhileRevalidate: "1h" });
    cached.answer("/", { "cache-control": `max-age=1, ${word}` });
    await send();
    later(5);
    cached.backend.on("/", (_, response) => response.destroy());
    expect((await send()).status).toBe(502);
  });

  test("the backend's own times count before the config's (RFC 5861)", async () => {
    const send = cached.route({ staleIfError: "1h" });
    cached.answer("/", { "cache-control": "s-maxage=1, stale-if-error=10" });
    await send();
    cached.backend.on("/", (_, response) => response.destroy());
    later(10);
    expect((await send()).status).toBe(200);
    later(2);
    expect((await send()).status).toBe(502);
  });
});

describe("invalidation", () => {
  test.each([
    ["POST", 200, false],
    ["PUT", 204, false],
    ["DELETE", 301, false],
    ["PATCH", 404, true],
    ["POST", 500, true],
    ["M-SEARCH", 200, false],
    ["OPTIONS", 200, true],
  ])("%s answered with %i: still stored: %s", async (method, status, isKept) => {
    // Another route than the one that stores, as where methods have routes of their own.
    const { send } = cached.gateway([
      { path: "/*", methods: ["GET"], cache: "1m" },
      { path: "/*", methods: [method] },
    ]);
    cached.answer("/a");
    await send({ target: "/a?x=1" });
    cached.answer("/a", {}, { status });
    await send({ target: "/a", method });
    expect((await send({ target: "/a?x=1" })).record.source).toBe(isKept ? "cache" : "backend");
  });

  test.each([
    ["location", "/b", false],
    ["content-location", "http://gateway.example/b?x", false],
    ["location", "b", false],
    ["location", "http://other.example/b", true],
    ["location", "//other.example/b", true],
  ])("%s: %s: /b is still stored: %s", async (name, value, isKept) => {
    const send = cached.route("1m");
    cached.answer("/b");
    await send("/b");
    cached.answer("/a", { [name]: value }, { status: 201 });
    await send({ target: "/a", method: "POST" });
    expect((await send("/b")).record.source).toBe(isKept ? "cache" : "backend");
  });
});

describe("what callers may ask", () => {
  test.each(["no-cache", "max-age=0", "min-fresh=9999"])("%s is advice, and not taken", async (control) => {
    const send = cached.route("1m");
    cached.answer("/");
    await send();
    expect((await send({ headers: { "cache-control": control } })).record.source).toBe("cache");
  });

  test("only-if-cached is answered without the backend, either way", async () => {
    const send = cached.route("1m");
    cached.answer("/");
    const only = { headers: { "cache-control": "only-if-cached" } };
    const none = await send(only);
    expect([none.status, none.record.code]).toEqual([504, "not-in-cache"]);
    expect(cached.backend.requests).toHaveLength(0);
    await send();
    expect((await send(only)).status).toBe(200);
  });

  test("HEAD of what is not stored goes on, and stores nothing", async () => {
    const send = cached.route("1m");
    cached.answer("/");
    expect(saidBy(await send({ method: "HEAD" }))).toBe("fwd=uri-miss");
    expect((await cached.backend.last()).method).toBe("HEAD");
    expect((await send()).record.source).toBe("backend");
    const head = await send({ method: "HEAD" });
    expect([head.text, head.headers.get("content-length"), saidBy(head)]).toEqual(["", "8", "hit; ttl=60"]);
  });

  test("byMethod switches it for one method", async () => {
    const send = cached.route("1m", { byMethod: { HEAD: { cache: false } } });
    cached.answer("/");
    await send();
    expect(saidBy(await send({ method: "HEAD" }))).toBe("none");
  });
});
