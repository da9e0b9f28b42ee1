import { expect, test } from "vitest";
import { CONTINENTS, continentOf, UNIONS } from "#lib/http/geography.ts";

/** Codes that ICU knows as regions, but for groups of countries and those that are only reserved. */
const NOT_COUNTRIES = ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"];

test("every country of ISO 3166-1 is on one continent", () => {
  const names = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const all = letters.flatMap((first) => letters.map((second) => first + second));
  // Old codes are known to ICU by the names of what they have become.
  const countries = all.filter((code) => names.of(code) && new Intl.Locale(`und-${code}`).region === code);
  expect(countries.filter((code) => !NOT_COUNTRIES.includes(code) && continentOf(code) === undefined)).toEqual([]);
  expect(all.filter((code) => continentOf(code) !== undefined && !countries.includes(code))).toEqual([]);
});

test("a continent's code that is a country's too is looked up as a country", () => {
  expect(CONTINENTS).toEqual(["AF", "AN", "AS", "EU", "NA", "OC", "SA"]);
  expect([continentOf("AF"), continentOf("NA"), continentOf("SA"), continentOf("EU")]).toEqual(["AS", "AF", "AS", undefined]);
});

test("the European Union has 27 members", () => {
  expect(UNIONS.EU).toHaveLength(27);
  expect(UNIONS.EU.filter((country) => continentOf(country) !== "EU")).toEqual([]);
});
