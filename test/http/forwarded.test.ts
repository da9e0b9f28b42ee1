import { describe, expect, test } from "vitest";
import { readForwarded } from "#lib/http/forwarded.ts";
import { HeaderList } from "#lib/http/header-list.ts";
import { IpRanges } from "#lib/http/ip-range.ts";

const PEER = "10.0.0.1";
const proxies = new IpRanges(["10.0.0.0/8", "2001:db8::/32"]);
const read = (...fields: string[]) => readForwarded(new HeaderList(fields), PEER, proxies, "x-forwarded-for");

describe("the caller", () => {
  test.each([
    ["one hop", ["x-forwarded-for", "203.0.113.7"], "203.0.113.7"],
    [
      "an address of the caller's own invention, left of what the proxy appended",
      ["x-forwarded-for", "1.1.1.1, 203.0.113.7"],
      "203.0.113.7",
    ],
    ["proxies behind proxies", ["x-forwarded-for", "1.1.1.1, 203.0.113.7, 10.0.0.3, 10.0.0.2"], "203.0.113.7"],
    ["the same in two fields", ["x-forwarded-for", "1.1.1.1, 203.0.113.7", "X-Forwarded-For", "10.0.0.3"], "203.0.113.7"],
    ["nobody but proxies: the first of them asks for itself", ["x-forwarded-for", "10.0.0.3, 10.0.0.2"], "10.0.0.3"],
    ["IPv6", ["x-forwarded-for", "2001:db9::7, 2001:db8::1"], "2001:db9::7"],
    ["a mapped address", ["x-forwarded-for", "::ffff:203.0.113.7"], "203.0.113.7"],
    ["a port", ["x-forwarded-for", "203.0.113.7:5678, [2001:db8::1]:443"], "203.0.113.7"],
    ["none said: the proxy itself", [], PEER],
    ["garbage beside the proxy", ["x-forwarded-for", "203.0.113.7, somebody"], undefined],
    ["an empty field", ["x-forwarded-for", ""], undefined],
    ["an address that others read in another way", ["x-forwarded-for", "010.1.1.1"], undefined],
    [
      "a copy of the field that the proxy does not write",
      ["forwarded", "for=1.1.1.1", "x-forwarded-for", "203.0.113.7"],
      "203.0.113.7",
    ],
    ["that copy alone", ["forwarded", "for=1.1.1.1"], undefined],
    ["a comma at the end", ["x-forwarded-for", "203.0.113.7,"], undefined],
    ["more proxies than there can be", ["x-forwarded-for", `203.0.113.7${", 10.0.0.2".repeat(40)}`], undefined],
  ])("%s", (_, fields, ip) => expect(read(...fields).ip).toBe(ip));
});

describe("in Forwarded", () => {
  const inForwarded = (...fields: string[]) => readForwarded(new HeaderList(fields), PEER, proxies, "forwarded");

  test.each([
    ["hops", ["forwarded", 'for=1.1.1.1, for="[2001:db9::7]:4711";proto=https, For=10.0.0.2'], "2001:db9::7"],
    ["spaces", ["forwarded", ' for = "203.0.113.7" ; proto = https '], "203.0.113.7"],
    ["hidden", ["forwarded", "for=_secret;proto=https"], undefined],
    ["not said", ["forwarded", "proto=https"], undefined],
    ["said twice", ["forwarded", "for=1.1.1.1;for=203.0.113.7"], undefined],
    ["a quote that does not end", ["forwarded", 'for="203.0.113.7'], undefined],
    ["empty", ["forwarded", ""], undefined],
    ["the other field is the caller's own", ["forwarded", "for=203.0.113.7", "x-forwarded-for", "1.1.1.1"], "203.0.113.7"],
    ["the other field alone", ["x-forwarded-for", "203.0.113.7"], undefined],
    ["neither: the proxy itself", [], PEER],
  ])("%s", (_, fields, ip) => expect(inForwarded(...fields).ip).toBe(ip));

  test("scheme and host are those of the last", () => {
    const told = inForwarded(
      "forwarded",
      'for=1.1.1.1;host=evil.example, for=203.0.113.7;host="shop.example";proto=https',
      "x-forwarded-host",
      "evil.example",
    );
    expect(told).toMatchObject({ scheme: "https", host: "shop.example" });
  });
});

describe("scheme and host", () => {
  test.each([
    ["", [], undefined, undefined],
    ["set", ["x-forwarded-proto", "HTTPS", "x-forwarded-host", "shop.example:8443"], "https", "shop.example:8443"],
    [
      "the last is the proxy's",
      ["x-forwarded-proto", "https, http", "x-forwarded-host", "evil.example, shop.example"],
      "http",
      "shop.example",
    ],
    ["a host that none is", ["x-forwarded-host", "shop.example:99999"], undefined, undefined],
    ["garbage", ["x-forwarded-proto", "javascript", "x-forwarded-host", 'a"b/c@d'], undefined, undefined],
  ])("%s", (_, fields, scheme, host) => expect(read(...fields)).toMatchObject({ scheme, host }));
});
