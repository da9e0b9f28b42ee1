/** What the doctor makes of what it hears: the cases that no real hop on this machine can play. */
import { describe, expect, test } from "vitest";
import { digestOf, type Seen } from "#lib/admin/doctor.ts";
import type { Heard, OtherAnswer } from "#lib/cli/doctor-ask.ts";
import { findingsOf } from "#lib/cli/doctor-findings.ts";

const NOW = Date.UTC(2027, 0, 1);

function heard(seen: Partial<Seen> = {}, more: Partial<Heard> = {}): Heard {
  const sent = new Map([["cookie", "a=1"]]);
  return {
    kind: "heard",
    url: new URL("https://shop.example/api/frontdesk-doctor-1?q=a%20b&flag"),
    sent,
    nonce: "n",
    seen: {
      nonce: "n",
      version: "0.1.0",
      host: "vercel",
      region: "fra1",
      regions: [],
      now: NOW + 50,
      method: "GET",
      target: "/api/frontdesk-doctor-1?q=a%20b&flag",
      client: { ip: "203.0.113.7", geo: { country: "DE" } },
      headers: [...sent].map(([name, value]) => [name, digestOf(value)] as const),
      ...seen,
    },
    backends: [],
    headers: new Headers({ "cache-control": "private, no-store" }),
    sentAt: NOW,
    firstPartAt: NOW + 100,
    lastPartAt: NOW + 1100,
    ...more,
  };
}
const about = (what: string, through: Heard, direct: Heard | undefined = heard()) =>
  findingsOf({ throughFrontend: [through], direct }).find((finding) => finding.what === what && finding.hop !== "backend");
const gateway = (what: string, seen: Partial<Seen>) =>
  findingsOf({ throughFrontend: [heard()], direct: heard(seen) }).find(
    (finding) => finding.hop === "gateway" && finding.what === what,
  );

describe("the doctor", () => {
  test("finds nothing where nothing is", () =>
    expect(findingsOf({ throughFrontend: [heard()], direct: heard() }).filter(({ verdict }) => verdict !== "good")).toEqual([]));

  test("does not compare an IPv4 address with an IPv6 one", () =>
    expect(about("caller", heard(), heard({ client: { ip: "2001:db8::7", geo: undefined } }))).toMatchObject({
      verdict: "unknown",
    }));

  test("tells a frontend that states somebody else", () => {
    const client = { ip: "198.51.100.9", geo: undefined, frontend: { verdict: "believed", edge: "192.0.2.1" } } as const;
    expect(about("caller", heard({ client }))).toMatchObject({
      verdict: "bad",
      fix: expect.stringContaining("states somebody else"),
    });
  });

  test("says which secret, path or form is wrong", () => {
    const fix = (verdict: "forged" | "malformed") =>
      about("caller", heard({ client: { ip: "192.0.2.1", geo: undefined, frontend: { verdict, edge: "192.0.2.1" } } }))?.fix;
    expect(fix("forged")).toContain("the secret differs");
    expect(fix("malformed")).toContain("docs/frontends.md");
  });

  test("measures queries by what arrives at the gateway's own address, since Next spells them anew", () => {
    const respelt = { target: "/api/frontdesk-doctor-1?q=a+b&flag=" };
    expect(about("request", heard(respelt), heard(respelt))?.verdict).toBe("good");
    expect(about("request", heard(respelt))).toMatchObject({ verdict: "odd", saw: expect.stringContaining("?q=a+b&flag=") });
    expect(about("request", heard({ target: "/frontdesk-doctor-1?q=a%20b&flag" }))).toMatchObject({
      verdict: "good",
      saw: "/api/frontdesk-doctor-1 arrives as /frontdesk-doctor-1",
    });
    expect(about("request", heard({ method: "POST" }))?.verdict).toBe("bad");
  });

  test("takes a machine that stalled once for no proxy that holds back", () => {
    const atOnce = heard({}, { lastPartAt: NOW + 100 });
    const streaming = (...all: [Heard, ...Heard[]]) =>
      findingsOf({ throughFrontend: all, direct: undefined }).find(({ what }) => what === "streaming")?.verdict;
    expect(streaming(atOnce, heard())).toBe("good");
    expect(streaming(atOnce, atOnce)).toBe("bad");
  });

  test("tells a Cache-Control that was changed, and caches on the way", () => {
    expect(about("cache", heard({}, { headers: new Headers({ "cache-control": "max-age=60" }) }))).toMatchObject({
      verdict: "odd",
    });
    const headers = new Headers({ "cache-control": "no-store", "x-vercel-cache": "MISS" });
    expect(about("cache", heard({}, { headers }))).toMatchObject({
      verdict: "good",
      saw: expect.stringContaining("x-vercel-cache: MISS"),
    });
  });

  test.each([
    [90_000, "90 s ahead of this machine's"],
    [-90_000, "90 s behind this machine's"],
  ])("a gateway's clock that is %i ms off", (offMs, saw) =>
    expect(gateway("clock", { now: NOW + 50 + offMs })).toMatchObject({ verdict: "bad", saw }),
  );

  test("a slow answer is no wrong clock", () =>
    expect(
      findingsOf({ throughFrontend: [heard()], direct: heard({ now: NOW + 9_000 }, { firstPartAt: NOW + 9_500 }) }).find(
        ({ what }) => what === "clock",
      )?.verdict,
    ).toBe("good"));

  test("a region that is not known, or not the config's", () => {
    expect(gateway("region", { region: null })?.verdict).toBe("unknown");
    expect(gateway("region", { regions: ["dub1"] })).toMatchObject({
      verdict: "bad",
      saw: "ran in fra1 (Frankfurt, DE), not in dub1 (Dublin, IE)",
    });
    expect(gateway("region", { regions: ["dub1", "fra1"] })?.verdict).toBe("good");
  });

  test("a frontend that sends away: to log in, say", () => {
    const other: OtherAnswer = {
      kind: "other",
      url: heard().url,
      sent: new Map(),
      status: 307,
      headers: new Headers({ location: "/login" }),
    };
    const [finding] = findingsOf({ throughFrontend: [other], direct: undefined });
    expect(finding).toMatchObject({ verdict: "bad", saw: "307, to /login", fix: expect.stringContaining("--header") });
  });

  test("without an answer at all", () => {
    const none = { kind: "none", url: heard().url, sent: new Map(), error: "ENOTFOUND" } as const;
    expect(findingsOf({ throughFrontend: [none], direct: none }).map(({ hop, saw }) => `${hop}: ${saw}`)).toEqual([
      "frontend: no answer from https://shop.example: ENOTFOUND",
      "gateway: no answer from https://shop.example: ENOTFOUND",
    ]);
  });
});
