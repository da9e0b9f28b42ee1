/** `basic`: RFC 7617 to the letter, and nothing that tells a name from a password. */
import { describe, expect, test } from "vitest";
import { basic } from "#lib/authenticators/basic/basic.ts";
import { isAsk } from "#lib/contract/ask.ts";
import { isAuthFailure } from "#lib/contract/authenticator.ts";
import { exchangeFor } from "../../support/exchange.ts";

const user = (name: string, password: string) => ({ name, password, passwordHash: null, scopes: [], tier: null });
const authenticator = basic.create(
  "staff",
  {
    realm: "office",
    users: [
      { ...user("Aladdin", "open sesame"), scopes: ["read"], tier: "pro" },
      user("test", "123£"),
      user("colon", ":a:b:"),
      user("empty", " "),
      user("ren\u00e9", "caf\u00e9"),
      user("Aladdin open", "sesame"),
    ],
  },
  { deps: { random: (bytes: number) => new Uint8Array(bytes) } as never, claims: [] },
);
const exchange = exchangeFor({ target: "/" });
const encode = (pair: string | Buffer) => Buffer.from(pair).toString("base64");

async function idOf(value: string): Promise<string> {
  const result = await authenticator.verify(value, exchange);
  if (isAsk(result)) throw new Error("it has nothing to ask");
  return isAuthFailure(result) ? `${result.kind}: ${result.reason}` : result.id;
}

const WRONG = "invalid: no such user, or another password";
const MALFORMED = "invalid: not a name and a password in base64";

describe("the examples of RFC 7617", () => {
  // Sections 2 and 2.1.
  test.each([
    ["QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "staff:Aladdin"],
    ["dGVzdDoxMjPCow==", "staff:test"],
  ])("%s", async (value, id) => expect(await idOf(value)).toBe(id));

  test("the challenge asks for UTF-8", () => {
    expect(authenticator.challenge()).toBe('Basic realm="office", charset="UTF-8"');
    expect(authenticator.challenge({ error: "invalid_token" })).toBe('Basic realm="office", charset="UTF-8"');
  });
});

test("who it is, with scopes and tier", async () => {
  expect(await authenticator.verify(encode("Aladdin:open sesame"), exchange)).toEqual({
    id: "staff:Aladdin",
    authenticator: "staff",
    scopes: ["read"],
    tier: "pro",
    claims: { sub: "Aladdin" },
  });
});

describe("accepted", () => {
  test.each([
    ["colons in the password", encode("colon::a:b:"), "staff:colon"],
    ["a password of one space", encode("empty: "), "staff:empty"],
    ["no padding", encode("Aladdin:open sesame").replace(/=+$/, ""), "staff:Aladdin"],
    ["composed characters", encode("ren\u00e9:caf\u00e9"), "staff:ren%C3%A9"],
    ["the same characters, decomposed", encode("rene\u0301:cafe\u0301"), "staff:ren%C3%A9"],
    ["a space in the name", encode("Aladdin open:sesame"), "staff:Aladdin%20open"],
  ])("%s", async (_, value, id) => expect(await idOf(value)).toBe(id));
});

describe("not accepted", () => {
  test.each([
    ["another password", encode("Aladdin:open Sesame"), WRONG],
    ["no such name", encode("aladdin:open sesame"), WRONG],
    ["the password cut", encode("Aladdin:open sesam"), WRONG],
    ["the password continued", encode("Aladdin:open sesame\0"), WRONG],
    ["a line after it", encode("Aladdin:open sesame\r\n"), WRONG],
    ["no colon", encode("Aladdinopen sesame"), WRONG],
    ["a colon alone", encode(":"), WRONG],
    ["a name alone", encode("Aladdin"), WRONG],
    ["no name", encode(":open sesame"), WRONG],
    ["Latin-1 for UTF-8", encode(Buffer.from("test:123\xa3", "latin1")), WRONG],
    ["broken UTF-8", encode(Buffer.from([0x74, 0x3a, 0xc3, 0x28])), WRONG],
    ["nothing", "", MALFORMED],
    ["padding alone", "==", MALFORMED],
    ["base64url", encode("test:123£").replace("+", "-").replace("=", "_"), MALFORMED],
    ["plain text", "Aladdin:open sesame", MALFORMED],
    ["spaces within", "QWxhZGRpbjpv cGVuIHNlc2FtZQ==", MALFORMED],
    ["more after it", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==,", MALFORMED],
    ["more after the padding", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==QQ==", MALFORMED],
    ["too much padding", "QWxhZGRpbjpvcGVuIHNlc2FtZQ====", MALFORMED],
    ["a byte that is no character", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==\xa0", MALFORMED],
    ["more than anybody types", encode(`Aladdin:${"x".repeat(2000)}`), MALFORMED],
  ])("%s", async (_, value, reason) => expect(await idOf(value)).toBe(reason));

  test("whatever is presented, the reason holds nothing of it", async () => {
    for (const pair of ["Aladdin:hunter2", "hunter2:open sesame", "hunter2"])
      expect(await idOf(encode(pair))).not.toContain("hunter2");
  });
});
