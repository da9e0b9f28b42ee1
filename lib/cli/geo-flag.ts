/** `--geo DE`: where a caller is said to be, for trying things out. */
import type { Geo } from "../http/geo.ts";
import { parseGeo } from "../http/geo-text.ts";
import { type Call, type Flag, UsageError } from "./command.ts";

export function geoFlag(help: string): Flag {
  return { type: "string", value: "place", help };
}

/** Undefined where it was not given. */
export function readGeo(call: Call): Geo | undefined {
  const text = call.one("geo");
  if (text === undefined) return undefined;
  const geo = parseGeo(text);
  if (!geo) throw new UsageError(`--geo ${JSON.stringify(text)} is not a place: write DE, DE-BE or EU/DE-BE.`);
  return geo;
}
