/** What may not pass: reserved names, what belongs to one hop, what Connection names, what only the gateway may say. */
import { describe, expect, test } from "vitest";
import { HeaderList } from "#lib/http/header-list.ts";
import { endToEndRequestPairs, readBackendHead, readRequestHeaders, withoutOverrides } from "#lib/http/sanitize-headers.ts";

const list = (fields: Record<string, string>) => new HeaderList(Object.entries(fields).flat());
const raw = (...pairs: string[]) => pairs.map((text) => Buffer.from(text, "latin1"));
const sent = (fields: Record<string, string>) => endToEndRequestPairs(readRequestHeaders(list(fields)).headers, true);

describe("readRequestHeaders", () => {
  test("drops reserved names in any spelling before anything reads them", () => {
    const { headers } = readRequestHeaders(
      list({ "X-Gateway-Plan": "x", "x-middleware-subrequest": "y", "X-NextJS-Data": "1", "x-gateways": "kept", Accept: "*/*" }),
    );
    expect(headers.pairs).toEqual(["x-gateways", "kept", "Accept", "*/*"]);
  });

  test("keeps the very list where there is nothing to drop", () => {
    const received = list({ Accept: "*/*" });
    expect(readRequestHeaders(received).headers).toBe(received);
  });

  test("finds what the engine needs", () => {
    const received = list({
      Host: "a.example",
      "Content-Length": "12",
      Upgrade: "websocket",
      "X-Request-Id": "r1",
      Via: "1.1 a",
    });
    received.append("via", "1.1 b");
    expect(readRequestHeaders(received)).toMatchObject({
      host: "a.example",
      contentLength: 12,
      transferEncoding: undefined,
      upgrade: "websocket",
      requestId: "r1",
      via: "1.1 a, 1.1 b",
    });
    expect(readRequestHeaders(list({ "transfer-encoding": "chunked" }))).toMatchObject({
      transferEncoding: "chunked",
      contentLength: undefined,
    });
  });
});

describe("endToEndRequestPairs", () => {
  test("keeps order, spelling and duplicates of everything that goes on", () => {
    const headers = new HeaderList(["B", "1", "a", "2", "b", "3", "Cookie", "c", "Authorization", "d"]);
    expect(endToEndRequestPairs(headers, true)).toEqual(headers.pairs);
  });

  test.each([
    "Connection",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy-Authorization",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Expect",
    "Host",
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Anything",
    "X-Real-IP",
    "X-Request-Id",
    "Traceparent",
    "Via",
    "X-Gateway-Consumer",
  ])("%s does not go on", (name) => {
    expect(sent({ [name]: "keep-alive", "x-other": "1" })).toEqual(["x-other", "1"]);
  });

  test("what Connection names stays on this hop, however often and however spelled", () => {
    const headers = new HeaderList([
      "Connection",
      "X-One, close",
      "x-one",
      "1",
      "CONNECTION",
      " x-TWO ",
      "X-Two",
      "2",
      "x-three",
      "3",
    ]);
    expect(endToEndRequestPairs(readRequestHeaders(headers).headers, true)).toEqual(["x-three", "3"]);
  });

  test("nobody reads what Connection names, and a lookalike is named with it", () => {
    const facts = readRequestHeaders(
      new HeaderList([
        "Connection",
        "x-tenant, VIA",
        "X_Tenant",
        "a",
        "Via",
        "1.1 a",
        "X-Request-Id",
        "r",
        "connection",
        "x-request-id",
      ]),
    );
    expect(facts.headers.has("x-tenant")).toBe(false);
    expect(facts).toMatchObject({ via: undefined, requestId: undefined });
  });

  test.each(["Host", "Transfer-Encoding", "Upgrade", "X-Forwarded-For", "Forwarded"])(
    "Connection does not take away %s, by which the request is read",
    (name) =>
      expect(readRequestHeaders(list({ Connection: name, [name]: "chunked" })).headers.has(name.toLowerCase())).toBe(true),
  );

  test.each(["True-Client-IP", "CF-Connecting-IP", "x_client_ip", "X_Forwarded_For", "X-Forwarded_For", "x_gateway_consumer"])(
    "%s is gone before anybody reads it",
    (name) => {
      const { headers, withReserved } = readRequestHeaders(list({ [name]: "6.6.6.6", "x-gateway-client": "a", "x-other": "1" }));
      expect(headers.pairs).toEqual(["x-other", "1"]);
      expect(withReserved!.pairs).toEqual(["x-gateway-client", "a", "x-other", "1"]);
    },
  );

  test("but for an address field that a proxy is trusted for, in its own spelling", () => {
    const received = list({ "CF-Connecting-IP": "1.2.3.4", cf_connecting_ip: "6.6.6.6", "True-Client-IP": "6.6.6.6" });
    const { headers } = readRequestHeaders(received, new Set(["cf-connecting-ip"]));
    expect(endToEndRequestPairs(headers, true)).toEqual(["CF-Connecting-IP", "1.2.3.4"]);
  });

  test("a name in two spellings is a fault, one with `_` alone is not", () => {
    const faultOf = (...pairs: string[]) => readRequestHeaders(new HeaderList(pairs)).fault;
    expect(faultOf("X-Tenant", "a", "X_Tenant", "b")).toContain("two spellings");
    expect(faultOf("x-a_b", "a", "x_a-b", "b")).toContain("two spellings");
    expect(faultOf("x_tenant", "a", "X_TENANT", "b", "x-other", "c")).toBeUndefined();
  });

  test("fields that name another method or path are known, however spelled, and can be dropped", () => {
    const facts = readRequestHeaders(
      list({ "X-HTTP-Method-Override": "DELETE", x_original_url: "/admin", Script_Name: "/a", a: "1" }),
    );
    expect(facts.hasOverrides).toBe(true);
    expect(withoutOverrides(facts).headers.pairs).toEqual(["a", "1"]);
  });

  test("Connection can't take the length away, which would desynchronise the next hop", () => {
    expect(sent({ Connection: "content-length", "Content-Length": "3" })).toEqual(["Content-Length", "3"]);
  });

  test("the length goes on only where it still holds", () => {
    const headers = list({ "Content-Length": "3", a: "1" });
    expect(endToEndRequestPairs(headers, false)).toEqual(["a", "1"]);
  });
});

describe("readBackendHead", () => {
  test("keeps order, spelling and duplicates, and reads values as latin-1", () => {
    const head = readBackendHead(raw("Set-Cookie", "a=\xfc", "X", "1", "set-cookie", "b=2"));
    expect(head.pairs).toEqual(["Set-Cookie", "a=\xfc", "X", "1", "set-cookie", "b=2"]);
  });

  test("sets aside length, caching and encoding", () => {
    const head = readBackendHead(
      raw("Content-Length", "5", "cache-control", "public", "Cache-Control", "max-age=1", "Content-Encoding", "br"),
    );
    expect(head).toEqual({
      pairs: ["Content-Encoding", "br"],
      contentLength: "5",
      cacheControl: "public, max-age=1",
      contentEncoding: "br",
      forCaches: undefined,
      isFramed: true,
    });
  });

  test.each([
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "CDN-Cache-Control",
    "Vercel-CDN-Cache-Control",
    "Vercel-Cache-Tag",
    "Surrogate-Control",
    "Surrogate-Key",
    "Cache-Tag",
    "X-Request-Id",
    "X-Gateway-Error",
    "X-Middleware-Rewrite",
    "X-Middleware-Next",
    "X-NextJS-Redirect",
  ])("%s of a backend does not reach the caller", (name) => {
    expect(readBackendHead(raw(name, "x", "a", "1")).pairs).toEqual(["a", "1"]);
  });

  test("what its Connection names stays on that hop, however often it is said", () => {
    expect(
      readBackendHead(raw("connection", "x-hop", "Connection", "x-too", "X-Hop", "1", "x-too", "2", "x-end", "3")).pairs,
    ).toEqual(["x-end", "3"]);
  });
});
