/** A place as people write it on a command line: `DE`, `DE-BE`, `EU/DE-BE`. */
import type { Geo } from "./geo.ts";
import { CONTINENTS, continentOf } from "./geography.ts";

const FORM = new RegExp(`^(?:(${CONTINENTS.join("|")})/)?([A-Z]{2})(?:-([A-Z0-9]{1,3}))?$`);

/** Undefined where it is no place. The continent is the country's where it is not said. */
export function parseGeo(text: string): Geo | undefined {
  const [, continent, country, subdivision] = FORM.exec(text.toUpperCase()) ?? [];
  if (country === undefined) return undefined;
  return { continent: continent ?? continentOf(country), country, subdivision };
}
