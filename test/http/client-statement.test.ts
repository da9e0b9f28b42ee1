import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { readStatement } from "#lib/http/client-statement.ts";

const SECRET = "frontend-0123456789-0123456789-0123456789";
const NOW = Date.UTC(2027, 0, 1);
const GET = { method: "GET", target: "/api/a?page=2" };
const encoded = (payload: unknown) =>
  Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)).toString("base64url");
function signed(payload: unknown, line = "GET /api/a", secret = SECRET): string {
  return `${encoded(payload)}.${createHmac("sha256", secret)
    .update(`${encoded(payload)}\n${line}`)
    .digest("base64url")}`;
}
const read = (text: string, secrets = [SECRET]) => readStatement(text, GET, secrets, NOW);
const t = NOW / 1000;

describe("a statement", () => {
  test("names an address and a place; a part that can't be what it should be is left out", () => {
    const ada = {
      continent: "EU",
      country: "DE",
      subdivision: "NW",
      city: "K%C3%B6ln",
      latitude: "50.9",
      longitude: 6.95,
      timezone: "Europe/Berlin",
    };
    expect(read(signed({ ip: "203.0.113.7", ...ada, t }))).toEqual({
      word: { verdict: "believed", aheadMs: 0 },
      caller: { ip: "203.0.113.7", geo: { ...ada, city: "Köln", latitude: 50.9 }, seconds: t },
    });
    const odd = { country: "Germany", subdivision: 7.5, latitude: 91, longitude: "east", timezone: ["x"], city: "ŁÓDŹ", t };
    expect(read(signed({ ip: "203.0.113.7", ...odd })).caller?.geo).toEqual({ city: "ŁÓDŹ" });
  });

  test("writes an address as others are written", () => {
    expect(read(signed({ ip: "::ffff:203.0.113.7", t })).caller?.ip).toBe("203.0.113.7");
    expect(read(signed({ ip: "2001:DB8:0::7", t })).caller?.ip).toBe("2001:db8::7");
  });

  test("tells no place where it says none", () => expect(read(signed({ ip: "203.0.113.7", t })).caller?.geo).toBeUndefined());

  test("is believed from 60 s ago to 5 s ahead", () => {
    const verdict = (seconds: number) => read(signed({ ip: "203.0.113.7", t: t + seconds })).word;
    expect([-61, -60, 0, 5, 6].map((seconds) => verdict(seconds).verdict)).toEqual([
      "stale",
      "believed",
      "believed",
      "believed",
      "early",
    ]);
    expect(verdict(-61)).toEqual({ verdict: "stale", aheadMs: -61_000 });
  });

  test("may be signed with any of the secrets", () =>
    expect(read(signed({ ip: "203.0.113.7", t }), ["x".repeat(32), SECRET]).word.verdict).toBe("believed"));

  test.each([
    ["another method", "POST /api/a"],
    ["another path", "GET /api/b"],
    ["the query too", "GET /api/a?page=2"],
    ["nothing but itself", ""],
  ])("signed for %s is forged", (_, line) =>
    expect(read(signed({ ip: "203.0.113.7", t }, line)).word).toEqual({ verdict: "forged" }),
  );

  test.each([
    ["nothing", ""],
    ["no signature", encoded({ ip: "203.0.113.7", t })],
    ["a shorter signature", signed({ ip: "203.0.113.7", t }).slice(0, -1)],
    ["padding", `${signed({ ip: "203.0.113.7", t })}=`],
    ["white space", `${signed({ ip: "203.0.113.7", t })} `],
    ["a third part", `${signed({ ip: "203.0.113.7", t })}.x`],
    ["no JSON", signed("203.0.113.7")],
    ["no UTF-8", signed(Buffer.from([0xff, 0xfe]).toString("latin1"))],
    ["a list", signed(["203.0.113.7", t])],
    ["null", signed("null")],
    ["no address", signed({ t })],
    ["an address that is inherited", signed('{"__proto__":{"ip":"203.0.113.7"},"t":1}')],
    ["no time", signed({ ip: "203.0.113.7" })],
    ["a time as text", signed({ ip: "203.0.113.7", t: String(t) })],
    ["more than anybody needs", signed({ ip: "203.0.113.7", t, city: "x".repeat(2048) })],
  ])("%s is malformed", (_, text) => expect(read(text)).toEqual({ word: { verdict: "malformed" } }));

  test("a time that is no number in JSON's sense is not believed", () =>
    expect(read(signed('{"ip":"203.0.113.7","t":1e999}')).word.verdict).toBe("early"));
});
