/** Paths that a backend names, on their way to a caller that knows other ones. */
import { describe, expect, test } from "vitest";
import type { Rewrite } from "#lib/contract/compiled/config.ts";
import { createReverseRewrite } from "#lib/proxy/reverse-rewrite.ts";

const REST = { from: "params", name: "rest", many: true } as const;
const strip = (prefix: string): Rewrite => ({ kind: "strip", prefix, encoded: encodeURI(prefix) });
const rewritten = (...template: (string | typeof REST | { from: "params"; name: string })[]): Rewrite => ({
  kind: "path",
  template,
});

/** One field's value, mapped; undefined where nothing is. */
function reverseRewrite(path: string, rewrite: Rewrite | undefined, url = "http://backend.internal:3000", host?: string) {
  const map = createReverseRewrite({ path, rewrite }, { url });
  return (name: string, value: string): string => {
    const pairs = [name, value];
    map(pairs, host);
    return pairs[1]!;
  };
}

function expectAll(map: ReturnType<typeof reverseRewrite>, name: string, cases: Record<string, string>): void {
  const mapped = Object.fromEntries(Object.keys(cases).map((value) => [value, map(name, value)]));
  expect(mapped).toEqual(cases);
}

const stripped = reverseRewrite("/api/*", strip("/api"));
const based = reverseRewrite("/*", undefined, "https://backend.internal/v2/");
const strippedAndBased = reverseRewrite("/api/*", strip("/api"), "http://backend.internal/v2");

describe("Location and Content-Location", () => {
  test("get the prefix that was stripped", () => {
    expectAll(stripped, "Location", {
      "/": "/api/",
      "/login?next=%2Fa#top": "/api/login?next=%2Fa#top",
      "?page=2": "?page=2",
      "next/one": "next/one",
      "../up": "../up",
      "#part": "#part",
      "": "",
    });
    expect(stripped("content-LOCATION", "/orders/1")).toBe("/api/orders/1");
  });

  test("of the target's own origin become paths of the gateway", () => {
    expectAll(stripped, "location", {
      "http://backend.internal:3000/a?b#c": "/api/a?b#c",
      "HTTP://BACKEND.internal:3000/a": "/api/a",
      "http://backend.internal:3000": "/api/",
      "http://backend.internal:3000?q": "/api/?q",
      "//backend.internal:3000/a": "/api/a",
    });
    expect(based("location", "https://backend.internal:443/v2/a")).toBe("/a");
  });

  test("of the gateway's own origin stay absolute, where the backend was told that it is its own", () => {
    expectAll(reverseRewrite("/api/*", strip("/api"), undefined, "Shop.example:8443"), "location", {
      "https://shop.example:8443/a?b": "https://shop.example:8443/api/a?b",
      "http://shop.example:8443": "http://shop.example:8443/api/",
      "//SHOP.example:8443/api/a": "//SHOP.example:8443/api/a",
      "https://shop.example/a": "https://shop.example/a",
      "https://shop.example:8443@evil.example/a": "https://shop.example:8443@evil.example/a",
      "http://backend.internal:3000/a": "/api/a",
    });
  });

  test("of other origins stay", () => {
    const others = [
      "http://backend.internal/a",
      "https://backend.internal:3000/a",
      "//other.example/a",
      "https://shop.example/api/a",
      "http://backend.internal:3000@evil.example/a",
      "http://user@backend.internal:3000/a",
      "http://backend.internal:3000.evil.example/a",
      "http://[broken/a",
      "mailto:a@b.example",
    ];
    expectAll(stripped, "location", Object.fromEntries(others.map((value) => [value, value])));
  });

  test("lose the target's base path; what lies outside of it stays", () => {
    expectAll(based, "location", {
      "/v2": "/",
      "/v2/": "/",
      "/v2/a": "/a",
      "/v2?q": "/?q",
      "/v22/a": "/v22/a",
      "/login": "/login",
    });
    expectAll(strippedAndBased, "location", { "/v2/a": "/api/a", "/v2": "/api", "/login": "/login" });
  });

  test("stay where a backend that heeds X-Forwarded-Prefix has put the prefix there itself", () => {
    expectAll(stripped, "location", { "/api/login": "/api/login", "/api": "/api", "/apis": "/api/apis" });
    expect(strippedAndBased!("location", "/api/v2/login")).toBe("/api/login");
  });

  test("never become another authority", () => {
    expectAll(based, "location", { "/v2//evil.example/": "/.//evil.example/", "/v2/\\evil.example": "/./\\evil.example" });
  });

  test("are spelled as a request would be", () => {
    expect(reverseRewrite("/café/*", strip("/café"))("location", "/a")).toBe("/caf%C3%A9/a");
  });
});

describe("Set-Cookie", () => {
  test("has its Path below the prefix", () => {
    expectAll(stripped, "Set-Cookie", {
      "a=1; Path=/": "a=1; Path=/api",
      "a=1; path=/orders; HttpOnly": "a=1; path=/api/orders; HttpOnly",
      "a=1;Path = /orders/ ;Secure": "a=1; Path=/api/orders/;Secure",
      "a=/x; Expires=Wed, 09 Jun 2027 10:18:14 GMT": "a=/x; Expires=Wed, 09 Jun 2027 10:18:14 GMT",
      "a=1; Path": "a=1; Path",
      "a=1; Path=": "a=1; Path=",
      "Path=/": "Path=/",
    });
    expectAll(based, "set-cookie", {
      "a=1; Path=/": "a=1; Path=/",
      "a=1; Path=/v2": "a=1; Path=/",
      "a=1; Path=/v2/x": "a=1; Path=/x",
      "a=1; Path=/other": "a=1; Path=/other",
    });
    expect(strippedAndBased!("set-cookie", "a=1; Path=/")).toBe("a=1; Path=/api");
  });

  test("keeps Path=/ where a browser would take no other", () => {
    expect(stripped("set-cookie", "__Host-a=1; Path=/; Secure")).toBe("__Host-a=1; Path=/; Secure");
  });

  test("loses the target's own Domain and no other", () => {
    expectAll(stripped, "set-cookie", {
      "a=1; Domain=backend.internal; Secure": "a=1; Secure",
      "a=1; domain=.Backend.Internal": "a=1",
      "a=1; Domain=internal": "a=1; Domain=internal",
      "a=1; Domain=shop.example": "a=1; Domain=shop.example",
    });
  });
});

test("Refresh is mapped as Location is", () => {
  expectAll(stripped, "refresh", {
    "5; url=http://backend.internal:3000/a": "5; url=/api/a",
    "0;URL='/a'": "0;URL='/api/a'",
    '0; url="http://backend.internal:3000/a"': '0; url="/api/a"',
    "30": "30",
    "5; url=https://other.example/": "5; url=https://other.example/",
  });
});

describe("rewrites", () => {
  test("that are one prefix for another are mapped", () => {
    const map = reverseRewrite("/shop/*", rewritten("/v1/items/", REST));
    expectAll(map, "location", { "/v1/items/7": "/shop/7", "/v1/items": "/shop", "/v1/other": "/v1/other", "/": "/" });
    expect(map("set-cookie", "a=1; Path=/v1/items")).toBe("a=1; Path=/shop");
    expect(reverseRewrite("/shop/:all*", rewritten("/", { ...REST, name: "all" } as never))("location", "/shop/7")).toBe(
      "/shop/shop/7",
    );
    expect(reverseRewrite("/*", rewritten("/v1/", REST), "http://b.example/base")!("location", "/base/v1/x")).toBe("/x");
  });

  const samePaths: [what: string, path: string, rewrite: Rewrite | undefined, url?: string][] = [
    ["a parameter in it has no way back", "/a/:id", rewritten("/b/", { from: "params", name: "id" })],
    ["a fixed path has none", "/a", rewritten("/b")],
    ["more behind the rest has none", "/a/*", rewritten("/b/", REST, "/c")],
    ["the rest within a segment has none", "/a/*", rewritten("/b-", REST)],
    ["a parameter before the rest has none", "/:tenant/*", rewritten("/t/", REST)],
    ["two parameters have none", "/a/:id/*", rewritten("/", { from: "params", name: "id" }, "/", REST)],
    ["nothing is rewritten", "/*", undefined],
    ["the prefix and the base path are one", "/api/*", strip("/api"), "http://backend.internal:3000/api"],
    ["the rewrite changes nothing", "/v1/*", rewritten("/v1/", REST)],
  ];
  test.each(samePaths)("paths stay, and the backend's own origin goes, where %s", (_, path, rewrite, url) => {
    const map = reverseRewrite(path, rewrite, url);
    expectAll(map, "location", {
      "http://backend.internal:3000/login?a=1": "/login?a=1",
      "//backend.internal:3000/login": "/login",
      "http://backend.internal:3000//evil.example": "/.//evil.example",
      "http://backend.internal:3001/login": "http://backend.internal:3001/login",
      "/v1/items": "/v1/items",
      "/\\odd": "/\\odd",
    });
    expectAll(map, "set-cookie", { "a=1; Domain=backend.internal; Path=/v1": "a=1; Path=/v1" });
  });
});

test("other fields stay", () => {
  expect(stripped("x-location", "/a")).toBe("/a");
});
