import { describe, expect, test } from "vitest";
import type { Geo } from "#lib/http/geo.ts";
import { gatewayOf } from "../gateway.ts";

const GEO: Record<string, Geo | undefined> = {
  de: { country: "DE", continent: "EU" },
  ch: { country: "CH" },
  tr: { country: "TR" },
  "us-ca": { country: "US", subdivision: "CA" },
  "us-or": { country: "US", subdivision: "OR" },
  us: { country: "US" },
  europe: { continent: "EU" },
  asia: { continent: "AS" },
  nowhere: undefined,
  empty: {},
};

describe("geo", () => {
  const { send } = gatewayOf({
    routes: [
      { path: "/countries", geo: { allow: ["DE", "AT"] } },
      { path: "/continent", geo: { allow: { continents: "EU" } } },
      { path: "/union", geo: { allow: { union: "EU" } } },
      { path: "/state", geo: { allow: { subdivisions: "us-ca" } } },
      { path: "/not-state", geo: { deny: { subdivisions: "US-CA" } } },
      { path: "/both", geo: { allow: { continents: "EU" }, deny: "CH" } },
      { path: "/known", geo: { deny: "KP", unknown: "deny" } },
      { path: "/anyone", geo: { allow: "DE", unknown: "allow" } },
      { path: "/trial", geo: { allow: "DE", mode: "shadow" } },
    ],
  });

  test.each([
    ["/countries", "de", 200],
    ["/countries", "ch", 403],
    ["/countries", "europe", 403],
    ["/countries", "nowhere", 403],
    ["/continent", "de", 200],
    // Nobody named the continent: the country tells it.
    ["/continent", "ch", 200],
    ["/continent", "tr", 403],
    ["/continent", "europe", 200],
    ["/continent", "asia", 403],
    ["/union", "de", 200],
    ["/union", "ch", 403],
    ["/union", "europe", 403],
    ["/state", "us-ca", 200],
    ["/state", "us-or", 403],
    ["/state", "us", 403],
    ["/not-state", "us-ca", 403],
    ["/not-state", "us-or", 200],
    ["/not-state", "us", 200],
    ["/not-state", "empty", 200],
    ["/both", "de", 200],
    ["/both", "ch", 403],
    ["/known", "de", 200],
    ["/known", "nowhere", 403],
    ["/known", "empty", 403],
    ["/anyone", "ch", 403],
    ["/anyone", "nowhere", 200],
    ["/trial", "ch", 200],
  ])("%s from %s is %i", async (target, from, status) => expect((await send({ target, geo: GEO[from] })).status).toBe(status));

  test("the record says why, the caller hears no more than the code", async () => {
    const { record, text } = await send({ target: "/countries", geo: GEO["ch"] });
    expect(record).toMatchObject({ code: "geo-denied", reason: "CH is not allowed" });
    expect(text).not.toContain("CH");
    expect((await send({ target: "/both", geo: GEO["ch"] })).record.reason).toBe("CH is denied");
    expect((await send({ target: "/known" })).record.reason).toBe("where the caller is can't be told");
  });

  test("in shadow mode it is only written down", async () =>
    expect((await send({ target: "/trial", geo: GEO["ch"] })).steps).toEqual(["geo: would-refuse", "respond: answered"]));
});
