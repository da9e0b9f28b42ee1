/** Where addresses are, by a database of the operator's: a file in MaxMind's format (MMDB), such as GeoLite2 City or DB-IP's. */
import { readFileSync } from "node:fs";
import type { CityResponse } from "mmdb-lib";
import { ConfigError } from "../../config/issue.ts";
import type { Geo } from "../../http/geo.ts";

/** Undefined where it is not known. */
export type Locate = (ip: string) => Geo | undefined;

/** Reads the whole file into memory (60 MB for GeoLite2 City). Throws a ConfigError where it is no such database. */
export async function openGeoDatabase(file: string): Promise<Locate> {
  // Most gateways have none.
  const { Reader } = await import("mmdb-lib");
  let reader: InstanceType<typeof Reader<CityResponse>>;
  try {
    reader = new Reader<CityResponse>(readFileSync(file));
  } catch (error) {
    const message = `${file} can't be read as a database of addresses (MMDB): ${(error as Error).message}.`;
    throw new ConfigError([{ rule: "variable-value", severity: "error", path: "GATEWAY_GEO_DATABASE", message }], "environment");
  }
  return (ip) => {
    const found = reader.get(ip);
    if (!found) return undefined;
    const { continent, country, subdivisions, city, location } = found;
    return {
      continent: continent?.code,
      country: country?.iso_code,
      subdivision: subdivisions?.[0]?.iso_code,
      city: city?.names?.en,
      latitude: location?.latitude,
      longitude: location?.longitude,
      timezone: location?.time_zone,
    };
  };
}
