import { describe, expect, test } from "vitest";
import { readForwarded } from "#lib/http/forwarded.ts";
import { HeaderList } from "#lib/http/header-list.ts";
import { IpRanges } from "#lib/http/ip-range.ts";

const PEER = "10.0.0.1";
const proxies = new IpRanges(["10.0.0.0/8", "2001:db8::/32"]);
const read = (...fields: string[]) => readForwarded(new HeaderList(fields), PEER, proxies);

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
    ["Forwarded", ["forwarded", 'for=1.1.1.1, for="[2001:db9::7]:4711";proto=https, For=10.0.0.2'], "2001:db9::7"],
    ["Forwarded that hides it", ["forwarded", "for=_secret;proto=https"], undefined],
    ["Forwarded that does not say", ["forwarded", "proto=https"], undefined],
    ["both, in agreement", ["forwarded", "for=203.0.113.7", "x-forwarded-for", "203.0.113.7"], "203.0.113.7"],
    [
      "a copy of the field that the proxy does not write",
      ["forwarded", "for=1.1.1.1", "x-forwarded-for", "203.0.113.7"],
      undefined,
    ],
  ])("%s", (_, fields, ip) => expect(read(...fields).ip).toBe(ip));
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
    ["Forwarded", ["forwarded", 'for=203.0.113.7;host="shop.example";proto=https'], "https", "shop.example"],
    ["garbage", ["x-forwarded-proto", "javascript", "x-forwarded-host", 'a"b/c@d'], undefined, undefined],
  ])("%s", (_, fields, scheme, host) => expect(read(...fields)).toMatchObject({ scheme, host }));
});
