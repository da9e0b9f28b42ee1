/** Parts of the world that a config names, and whether somebody is there. */
import type { Geo } from "./geo.ts";
import { continentOf, UNIONS } from "./geography.ts";

/** Compiled: upper case; a subdivision with its country, `US-CA` (ISO 3166-2). Somebody who is in any of these is there. */
export interface Region {
  readonly continents: readonly string[];
  readonly countries: readonly string[];
  readonly subdivisions: readonly string[];
  readonly unions: readonly (keyof typeof UNIONS)[];
}

export type Whereabouts = "inside" | "outside" | "unknown";

/** "unknown" where what is known of the caller does not tell: no country at all, or a country of which only a part is named. */
export function createRegionTest({ continents, countries, subdivisions, unions }: Region): (geo: Geo | undefined) => Whereabouts {
  const whole = new Set([...countries, ...unions.flatMap((union) => UNIONS[union])]);
  const parts = new Set(subdivisions);
  const partly = new Set(subdivisions.map((subdivision) => subdivision.slice(0, 2)));
  const large = new Set(continents);
  return (geo) => {
    const country = geo?.country;
    const continent = geo?.continent ?? (country === undefined ? undefined : continentOf(country));
    if (continent !== undefined && large.has(continent)) return "inside";
    // A continent alone says that somebody is elsewhere only where nothing smaller is named.
    if (country === undefined) return continent !== undefined && whole.size + parts.size === 0 ? "outside" : "unknown";
    if (whole.has(country)) return "inside";
    if (!partly.has(country)) return large.size > 0 && continent === undefined ? "unknown" : "outside";
    if (geo?.subdivision === undefined) return "unknown";
    return parts.has(`${country}-${geo.subdivision}`) ? "inside" : "outside";
  };
}
