import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openGeoDatabase } from "#lib/hosts/node/geo-database.ts";
import { LocatedClient } from "#lib/hosts/node/located-client.ts";
import { temporaryFolder } from "../../support/host-process.ts";
import { writeMmdb } from "../../support/mmdb.ts";

const file = join(temporaryFolder(), "places.mmdb");
writeMmdb(file, {
  "203.0.113.0/24": {
    continent: { code: "EU" },
    country: { iso_code: "DE" },
    subdivisions: [{ iso_code: "BE" }],
    city: { names: { en: "Berlin" } },
    location: { latitude: 52.5, longitude: 13.25, time_zone: "Europe/Berlin" },
  },
  "198.51.100.7/32": { country: { iso_code: "US" } },
});

describe("a database of addresses", () => {
  test("says where an address is", async () => {
    const locate = await openGeoDatabase(file);
    expect(locate("203.0.113.9")).toEqual({
      continent: "EU",
      country: "DE",
      subdivision: "BE",
      city: "Berlin",
      latitude: 52.5,
      longitude: 13.25,
      timezone: "Europe/Berlin",
    });
    expect(locate("198.51.100.7")?.country).toBe("US");
    expect(locate("198.51.100.8")).toBeUndefined();
  });

  test("a file that is none, or is not there, is told by the variable that names it", async () => {
    const other = join(temporaryFolder(), "other.mmdb");
    writeFileSync(other, "no database");
    await expect(openGeoDatabase(other)).rejects.toThrow(/GATEWAY_GEO_DATABASE: .*other\.mmdb can't be read/);
    await expect(openGeoDatabase(`${other}.gone`)).rejects.toThrow(/GATEWAY_GEO_DATABASE/);
  });

  test("is asked once for a caller, and only where somebody wants to know", () => {
    let asked = 0;
    const client = new LocatedClient("203.0.113.9", () => {
      asked++;
      return undefined;
    });
    expect(asked).toBe(0);
    expect([client.geo, client.geo]).toEqual([undefined, undefined]);
    expect(asked).toBe(1);
    expect(new LocatedClient(undefined, () => ({ country: "DE" })).geo).toBeUndefined();
  });
});
