/** RFC 9111 sections 3 and 4.2: what is stored, and for how long it is fresh. Each case fails where the cache is off. */
import { describe, expect, test } from "vitest";
import { cachedBackend, saidBy } from "./cached-backend.ts";

const cached = cachedBackend();
const date = (offsetSeconds: number) => new Date(cached.nowMs + offsetSeconds * 1000).toUTCString();

/** Sends twice, so many seconds apart, and says whether the second was answered from what the first left. */
async function isReused(cache: unknown, fields: Record<string, string | string[]>, seconds = 5, status = 200): Promise<boolean> {
  cached.backend.requests.length = 0;
  const send = cached.route(cache);
  cached.answer("/", fields, { status });
  const first = await send();
  expect(first.record.source).toBe("backend");
  cached.nowMs += seconds * 1000;
  const second = await send();
  expect(second.text === first.text).toBe(second.record.source === "cache");
  expect(cached.backend.requests).toHaveLength(second.record.source === "cache" ? 1 : 2);
  return second.record.source === "cache";
}

describe("section 4.2.1: for how long, by the backend's word", () => {
  test.each([
    [{ "cache-control": "max-age=60" }, 59, true],
    [{ "cache-control": "max-age=60" }, 60, false],
    [{ "cache-control": "max-age=1, s-maxage=60" }, 59, true],
    [{ "cache-control": "max-age=60, s-maxage=1" }, 5, false],
    [{ "cache-control": 'max-age="60"' }, 5, true],
    [{ "cache-control": "max-age=60.5" }, 5, false],
    [{ "cache-control": 'x="max-age=60"' }, 5, false],
    [{ "cache-control": "max-age=99999999999" }, 9_000_000, true],
    [{ "cdn-cache-control": "max-age=60", "cache-control": "no-store" }, 5, true],
    [{ "cdn-cache-control": "no-store", "cache-control": "max-age=60" }, 5, false],
    // No structured dictionary: as if it were not there (RFC 9213 section 2.1).
    [{ "cdn-cache-control": "max-age =60", "cache-control": "max-age=2" }, 5, false],
    [{ "cdn-cache-control": "max-age=60;x=1, private=?0x", "cache-control": "max-age=2" }, 5, false],
    [{ "surrogate-control": "max-age=60" }, 5, true],
  ])("%j after %i s: %s", async (fields, seconds, reused) => expect(await isReused(true, fields, seconds)).toBe(reused));

  test.each([
    [60, 59, true],
    [60, 60, false],
    [-1, 0, false],
  ])("Expires %i s after Date, asked after %i s: %s", async (expires, seconds, reused) => {
    expect(await isReused(true, { expires: date(expires) }, seconds)).toBe(reused);
  });

  test("Expires that is no date is in the past (section 5.3)", async () => {
    expect(await isReused(true, { expires: "0" }, 0)).toBe(false);
  });
});

describe("section 4.2.2: heuristics", () => {
  test("a tenth of the time since the last change, at most an hour", async () => {
    expect(await isReused(true, { "last-modified": date(-1000) }, 99)).toBe(true);
    expect(await isReused(true, { "last-modified": date(-1000) }, 101)).toBe(false);
    expect(await isReused(true, { "last-modified": date(-1_000_000) }, 3599)).toBe(true);
    expect(await isReused(true, { "last-modified": date(-1_000_000) }, 3601)).toBe(false);
  });

  test("only for statuses that may be kept unasked", async () => {
    expect(await isReused(true, { "last-modified": date(-1000) }, 5, 404)).toBe(true);
    expect(await isReused(true, { "last-modified": date(-1000) }, 5, 403)).toBe(false);
  });
});

describe("section 4.2.3: age", () => {
  test.each([
    ["50", 9, true],
    ["50", 11, false],
    // What can't be read is taken for too old.
    ["x", 0, false],
    ["-1", 0, false],
    ["0, 0", 0, false],
  ])("Age %s counts, asked after %i s: %s", async (age, seconds, reused) => {
    expect(await isReused(true, { age, "cache-control": "max-age=60" }, seconds)).toBe(reused);
  });

  test("a Date in the past counts as well", async () => {
    expect(await isReused(true, { date: date(-55), "cache-control": "max-age=60" }, 6)).toBe(false);
  });

  test("the answer says how old it is, in whole seconds and once", async () => {
    const send = cached.route(true);
    cached.answer("/", { age: "7", "cache-control": "max-age=60" });
    expect((await send()).headers.all("age")).toEqual(["7"]);
    cached.nowMs += 3900;
    expect((await send()).headers.all("age")).toEqual(["10"]);
  });
});

describe("section 3: what is not stored", () => {
  test.each([
    [{ "cache-control": "no-store, max-age=60" }, "no-store"],
    [{ "cache-control": "private, max-age=60" }, "private"],
    [{ "cache-control": 'private="x-name", max-age=60' }, "private"],
    [{ "cache-control": "max-age=60", "set-cookie": "session=1" }, "set-cookie"],
    [{ "cache-control": "max-age=60", vary: "*" }, "vary"],
    [{ "cache-control": "max-age=60", vary: "accept, *" }, "vary"],
    [{ "cache-control": 'x="unfinished, no-store' }, "no-store"],
    [{ "cache-control": "max-age=60, must-understand" }, "must-understand", 299],
    [{}, "no-freshness"],
    [{ "last-modified": "x" }, "no-freshness", 403],
  ])("%j: %s", async (fields, detail, status = 200) => {
    const send = cached.route(true);
    cached.answer("/", fields as Record<string, string>, { status });
    expect(saidBy(await send())).toBe(`fwd=uri-miss; detail=${detail}`);
    expect((await send()).record.source).toBe("backend");
  });

  test("must-understand stands in for no-store where the status is known (section 5.2.2.3)", async () => {
    expect(await isReused(true, { "cache-control": "max-age=60, must-understand, no-store" })).toBe(true);
  });

  test("a body that only the end of the connection ends: cut and whole look alike", async () => {
    const send = cached.route("1m");
    cached.backend.on("/", (_, response) => {
      response.socket!.end("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nConnection: close\r\n\r\nhalf");
    });
    expect((await send()).text).toBe("half");
    expect((await send()).record.source).toBe("backend");
  });

  test("a request that says no-store leaves nothing", async () => {
    const send = cached.route(true);
    cached.answer("/", { "cache-control": "max-age=60" });
    await send({ headers: { "cache-control": "no-store" } });
    expect((await send()).record.source).toBe("backend");
    expect((await send()).record.source).toBe("cache");
  });

  test("no-cache names fields that are not given again (section 5.2.2.4)", async () => {
    const send = cached.route(true);
    cached.answer("/", {
      "cache-control": 'max-age=60, no-cache="set-cookie, x-once"',
      "set-cookie": "a=1",
      "x-once": "1",
      "x-all": "1",
    });
    expect((await send()).headers.get("set-cookie")).toBe("a=1");
    const { headers, record } = await send();
    expect(record.source).toBe("cache");
    expect([headers.has("set-cookie"), headers.has("x-once"), headers.has("x-all")]).toEqual([false, false, true]);
  });

  test("fields that Connection names belong to one hop (section 3.1)", async () => {
    const send = cached.route(true);
    cached.answer("/", { "cache-control": "max-age=60", connection: "x-hop", "x-hop": "1" });
    await send();
    const { headers, record } = await send();
    expect([record.source, headers.has("x-hop")]).toEqual(["cache", false]);
  });
});

describe("ttl", () => {
  test("is for answers that say nothing", async () => {
    expect(await isReused("1m", {}, 59)).toBe(true);
    expect(await isReused("1m", {}, 60)).toBe(false);
    expect(await isReused("1m", { "cache-control": "max-age=2" }, 5)).toBe(false);
  });

  test("override puts it in place of what the backend says", async () => {
    expect(await isReused({ ttl: "1m", override: true }, { "cache-control": "max-age=2" }, 59)).toBe(true);
    expect(await isReused({ ttl: "2s", override: true }, { "cache-control": "max-age=60" }, 5)).toBe(false);
  });

  test.each([
    ["private", {}],
    ["no-store", {}],
    ["max-age=0", { "set-cookie": "a=1" }],
    ["max-age=0", { vary: "*" }],
  ])("neither overrides Cache-Control %s with %j", async (control, more) => {
    expect(await isReused({ ttl: "1m", override: true }, { "cache-control": control, ...more })).toBe(false);
  });

  test.each([400, 405, 414, 429, 500, 503])("is not for %i, which one caller can provoke for all (CPDoS)", async (status) => {
    expect(await isReused("1m", {}, 5, status)).toBe(false);
  });

  test.each([404, 410, 301, 204])("is for %i", async (status) => expect(await isReused("1m", {}, 5, status)).toBe(true));
});

test("a bound of its own for an entry: what is larger passes and is not stored", async () => {
  const send = cached.route("1m");
  const body = "x".repeat(9 * 1024 * 1024);
  cached.answer("/", {}, { body });
  const first = await send();
  expect(first.text.length).toBe(body.length);
  expect(saidBy(first)).toContain("detail=too-large");
  // Of unknown length: it is stored until it is too large.
  cached.backend.on("/chunked", (_, response) => response.writeHead(200).end(body));
  expect((await send("/chunked")).text.length).toBe(body.length);
  expect((await send("/chunked")).record.source).toBe("backend");
});
