import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalIp } from "#lib/http/ip.ts";
import { canonicalRange, IpRanges } from "#lib/http/ip-range.ts";

describe("canonicalRange", () => {
  test.each([
    ["192.0.2.7", "192.0.2.7"],
    ["192.0.2.7/32", "192.0.2.7"],
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["2001:DB8:0::/32", "2001:db8::/32"],
    ["::/0", "::/0"],
    ["::1", "::1"],
    ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
    ["::ffff:a00:0/104", "10.0.0.0/8"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
  ])("%s is %s", (text, canonical) => expect(canonicalRange(text)).toBe(canonical));

  test.each([
    "",
    "1",
    "10",
    "10.1",
    "010.1.1.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "2130706433",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.3.4/",
    "1.2.3.4/33",
    "1.2.3.4/08",
    "1.2.3.4/-1",
    "1.2.3.4/8/8",
    "10.0.0.1/8",
    "2001:db8::1/32",
    "2001:db8::/129",
    "fe80::1%eth0",
    "[::1]",
    "::ffff:10.0.0.0/90",
    " 10.0.0.0/8",
    "localhost",
    "*",
  ])("%j is refused", (text) => expect(canonicalRange(text)).toBeUndefined());
});

describe("IpRanges", () => {
  test("the first and the last address of a range are in it, their neighbours are not", () => {
    const ranges = new IpRanges(["10.0.0.0/8", "192.0.2.128/25", "2001:db8::/33"]);
    const within = ["10.0.0.0", "10.255.255.255", "192.0.2.128", "192.0.2.255", "2001:db8::", "2001:db8:7fff:ffff::1"];
    const outside = ["9.255.255.255", "11.0.0.0", "192.0.2.127", "192.0.3.0", "2001:db8:8000::", "2001:db7:ffff::", "::1"];
    expect(within.filter((ip) => !ranges.has(ip))).toEqual([]);
    expect(outside.filter((ip) => ranges.has(ip))).toEqual([]);
  });

  test("ranges may overlap, in any order", () => {
    const ranges = new IpRanges(["10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/24", "11.0.0.0/8", "10.255.0.0/16"]);
    expect(["10.0.0.5", "10.200.0.1", "11.5.5.5"].every((ip) => ranges.has(ip))).toBe(true);
    expect(ranges.has("12.0.0.0")).toBe(false);
  });

  test("nothing is in none, and each family has its own", () => {
    expect(new IpRanges([]).has("10.0.0.1")).toBe(false);
    expect(new IpRanges(["0.0.0.0/0"]).has("::1")).toBe(false);
    expect(new IpRanges(["::/0"]).has("10.0.0.1")).toBe(false);
    expect(new IpRanges(["::/0"]).has("::1.2.3.4")).toBe(true);
  });

  test("it agrees with Node's BlockList", () => {
    // Few bits vary, so that addresses fall into ranges and beside them.
    const v4 = fc.tuple(fc.constantFrom(10, 11), fc.constantFrom(0, 127, 128), fc.nat(3), fc.nat(255)).map((n) => n.join("."));
    const v6 = fc
      .tuple(fc.constantFrom("2001", "fe80"), fc.nat(3), fc.nat(0xffff))
      .map(([a, b, c]) => `${a}:${b}::${c.toString(16)}`);
    const range = fc.oneof(fc.tuple(v4, fc.integer({ min: 0, max: 32 })), fc.tuple(v6, fc.integer({ min: 0, max: 128 })));
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 12 }),
        fc.array(fc.oneof(v4, v6), { minLength: 1, maxLength: 20 }),
        (given, addresses) => {
          const texts = given.flatMap(([address, bits]) => canonicalRange(`${address}/${bits}`) ?? []);
          const list = new BlockList();
          for (const text of texts) {
            const [address = "", bits] = text.split("/");
            const family = address.includes(":") ? "ipv6" : "ipv4";
            list.addSubnet(address, bits === undefined ? (family === "ipv6" ? 128 : 32) : Number(bits), family);
          }
          const ranges = new IpRanges(texts);
          for (const text of addresses) {
            const ip = canonicalIp(text)!;
            expect([ip, ranges.has(ip)]).toEqual([ip, list.check(ip, ip.includes(":") ? "ipv6" : "ipv4")]);
          }
        },
      ),
    );
  });
});
