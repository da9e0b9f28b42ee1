/** Parts of the world as a config names them: countries, or continents, subdivisions and unions. */
import { z } from "zod";
import { CONTINENTS, continentOf, UNIONS } from "../http/geography.ts";
import type { Region } from "../http/region.ts";
import type { Fields } from "./fields.ts";
import type { ConfigPath } from "./issue.ts";
import { didYouMean } from "./nearest.ts";
import { asList, oneOf, oneOrMore, strict } from "./schema-fields.ts";

const codes = (what: string) => oneOrMore(`${what}, or a list of them`, z.string()).optional();

export const regionObject = strict("region", {
  continents: codes("a continent such as EU").describe(`Continents: ${CONTINENTS.map((code) => `\`${code}\``).join(", ")}`),
  countries: codes("a country such as DE").describe("Countries, by ISO 3166-1: `DE`, `US`"),
  subdivisions: codes("a subdivision such as US-CA").describe("States and provinces with their country, by ISO 3166-2: `US-CA`"),
  union: codes('a union: "EU"').describe("`EU`: the members of the European Union, which are not the countries of the continent"),
});

export const region = oneOf("a country such as DE, a list of countries, { continents, countries, subdivisions, union }", [
  z.string(),
  z.array(z.string()).min(1),
  regionObject,
]);

export function compileRegion(input: z.output<typeof region>, place: ConfigPath, fields: Fields): Region {
  const isShort = typeof input === "string" || Array.isArray(input);
  const given = isShort ? { countries: input } : input;
  if (Object.keys(given).length === 0)
    fields.report.error("missing-key", place, "one of `continents`, `countries`, `subdivisions` and `union` is missing.");
  const at = (key: keyof typeof given) => (isShort ? place : [...place, key]);
  const read = (key: keyof typeof given, what: string, isKnown: (code: string) => boolean, known: readonly string[]) =>
    asList<string>(given[key]).flatMap((input, index) => {
      const where = Array.isArray(given[key]) ? [...at(key), index] : at(key);
      const code = fields.plain(input, where)?.toUpperCase();
      if (code === undefined) return [];
      if (!isKnown(code))
        fields.report.error("value-format", where, `${JSON.stringify(input)} is no ${what}.`, didYouMean(code, known));
      return code;
    });
  return {
    continents: read("continents", "continent", (code) => CONTINENTS.includes(code as "EU"), CONTINENTS),
    countries: read("countries", "country of ISO 3166-1", (code) => continentOf(code) !== undefined, []),
    subdivisions: read("subdivisions", "subdivision of ISO 3166-2 such as US-CA", isSubdivision, []),
    unions: read("union", "union that is known here", (code) => code in UNIONS, Object.keys(UNIONS)) as (keyof typeof UNIONS)[],
  };
}

function isSubdivision(code: string): boolean {
  return /^[A-Z]{2}-[A-Z0-9]{1,3}$/.test(code) && continentOf(code.slice(0, 2)) !== undefined;
}
