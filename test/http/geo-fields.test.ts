import { describe, expect, test } from "vitest";
import { GEO_FIELDS, readGeo } from "#lib/http/geo-fields.ts";
import { HeaderList } from "#lib/http/header-list.ts";

const latin1 = (text: string) => Buffer.from(text, "utf8").toString("latin1");

describe("where the caller is, by header fields", () => {
  test("Vercel's, the city percent-encoded", () =>
    expect(
      readGeo(
        new HeaderList([
          ...["x-vercel-ip-continent", "EU", "x-vercel-ip-country", "DE", "x-vercel-ip-country-region", "NW"],
          ...["x-vercel-ip-city", "K%C3%B6ln", "x-vercel-ip-latitude", "50.9", "x-vercel-ip-longitude", "-6.95"],
          ...["x-vercel-ip-timezone", "Europe/Berlin"],
        ]),
        GEO_FIELDS.vercel,
      ),
    ).toEqual({
      continent: "EU",
      country: "DE",
      subdivision: "NW",
      city: "Köln",
      latitude: 50.9,
      longitude: -6.95,
      timezone: "Europe/Berlin",
    }));

  test("Cloudflare's, the city in UTF-8", () =>
    expect(readGeo(new HeaderList(["CF-IPCountry", "FR", "cf-ipcity", latin1("Évry")]), GEO_FIELDS.cloudflare)).toMatchObject({
      country: "FR",
      city: "Évry",
    }));

  test("CloudFront's, which has no continent", () =>
    expect(
      readGeo(
        new HeaderList(["cloudfront-viewer-country", "US", "cloudfront-viewer-country-region", "MI"]),
        GEO_FIELDS.cloudfront,
      ),
    ).toMatchObject({ country: "US", subdivision: "MI", continent: undefined }));

  test.each(["XX", "T1", "Germany", "de", "", "D E"])("%j is no country", (country) =>
    expect(readGeo(new HeaderList(["cf-ipcountry", country]), GEO_FIELDS.cloudflare)).toBeUndefined(),
  );

  test.each(["91", "-90.5", "x", "1e3", "", "NaN"])("%j is no latitude", (latitude) =>
    expect(readGeo(new HeaderList(["cf-ipcountry", "DE", "cf-iplatitude", latitude]), GEO_FIELDS.cloudflare)?.latitude).toBe(
      undefined,
    ),
  );

  test("a city that is spelled badly is kept as it is", () =>
    expect(readGeo(new HeaderList(["cf-ipcity", "100%"]), GEO_FIELDS.cloudflare)?.city).toBe("100%"));

  test("another platform's fields say nothing", () =>
    expect(readGeo(new HeaderList(["x-vercel-ip-country", "DE"]), GEO_FIELDS.cloudflare)).toBeUndefined());
});
