import { describe, expect, test } from "vitest";
import { canonicalOrigin, isOpenToStrangers, OriginList } from "#lib/http/origin.ts";

describe("canonicalOrigin", () => {
  test.each([
    ["https://shop.example", "https://shop.example"],
    ["HTTPS://Shop.Example:443", "https://shop.example"],
    ["http://shop.example:80", "http://shop.example"],
    ["http://shop.example:443", "http://shop.example:443"],
    ["http://localhost:3000", "http://localhost:3000"],
    ["http://[::1]:3000", "http://[::1]:3000"],
    ["capacitor://localhost", "capacitor://localhost"],
    ["https://*.shop.example", "https://*.shop.example"],
    ["https://shop-*-team.vercel.app", "https://shop-*-team.vercel.app"],
    ["http://*.localhost:3000", "http://*.localhost:3000"],
  ])("%s is %s", (text, canonical) => expect(canonicalOrigin(text)).toBe(canonical));

  test.each([
    "shop.example",
    "//shop.example",
    "https://",
    "https://shop.example/",
    "https://shop.example/path",
    "https://user@shop.example",
    "https://shop.example:0",
    "https://shop.example:99999",
    "https://shop..example",
    "null",
    "*",
    "https://*",
    "https://*.com",
    "https://shop-*.com",
    "https://a.*.shop.example",
    "https://*.*.shop.example",
    "https://a*b*.shop.example",
    "https://shop.example:*",
    "https://münchen.example",
  ])("%j is refused", (text) => expect(canonicalOrigin(text)).toBeUndefined());
});

describe("OriginList", () => {
  const list = new OriginList([
    "https://app.example",
    "https://*.ok.example",
    "https://shop-*-team.vercel.app",
    "http://*.localhost:3000",
  ]);

  test.each([
    "https://app.example",
    "https://a.ok.example",
    "https://a.b.ok.example",
    "https://shop-git-main-team.vercel.app",
    "http://x.localhost:3000",
  ])("%s is in it", (origin) => expect(list.has(origin)).toBe(true));

  test.each([
    "",
    "null",
    "HTTPS://APP.EXAMPLE",
    "https://app.example/",
    "https://app.example:8443",
    "http://app.example",
    "https://app.example.evil.com",
    "https://evilapp.example",
    "https://ok.example",
    "https://.ok.example",
    "https://xok.example",
    "https://a.ok.example.evil.com",
    "https://evil.com/.ok.example",
    "https://evil.com#.ok.example",
    "https://evil.com?.ok.example",
    "https://evil.com:1.ok.example",
    "https://a..ok.example",
    "https://user@a.ok.example",
    "https://shop--team.vercel.app",
    "https://shop-a.evil.com-team.vercel.app",
    "https://shop-a.b-team.vercel.app",
    "http://x.localhost",
  ])("%j is not", (origin) => expect(list.has(origin)).toBe(false));
});

test("names that anybody can get", () => {
  expect(["https://*.vercel.app", "https://shop-*.vercel.app", "https://*.netlify.app:8443"].every(isOpenToStrangers)).toBe(true);
  const own = [
    "https://shop.vercel.app",
    "https://shop-*-team.vercel.app",
    "https://*.shop.vercel.app",
    "https://*.shop.example",
  ];
  expect(own.filter(isOpenToStrangers)).toEqual([]);
});
