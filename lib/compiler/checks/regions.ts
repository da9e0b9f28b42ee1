/** `regions`: where the gateway runs on Vercel, and whether vercel.json, which is what Vercel reads, says the same. */
import { join } from "node:path";
import type { Fields } from "../../config/fields.ts";
import type { Report } from "../../config/issue.ts";
import { didYouMean } from "../../config/nearest.ts";
import { asList } from "../../config/schema-fields.ts";
import { readTextFile } from "../../config/text-file.ts";
import type { CompiledBackend } from "../../contract/compiled/backend.ts";
import { type Continent, continentOf, UNIONS } from "../../http/geography.ts";
import type { Region } from "../../http/region.ts";
import { continentsOf, regionText, VERCEL_REGIONS } from "../../http/vercel-regions.ts";

/** What of vercel.json says where functions run, and what is asked for when. */
export interface VercelJson {
  readonly regions?: unknown;
  /** By path; a function's own regions go before the project's. */
  readonly functions?: Readonly<Record<string, { readonly regions?: unknown } | undefined>>;
  readonly crons?: unknown;
  readonly schedules?: unknown;
}

/** Undefined where there is none. */
export function readVercelJson(cwd: string): VercelJson | undefined {
  try {
    const value: unknown = JSON.parse(readTextFile(join(cwd, "vercel.json"), "vercel.json"));
    return typeof value === "object" && value !== null ? (value as VercelJson) : {};
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    // Vercel itself says what is wrong with it.
    return {};
  }
}

export function compileRegions(input: string | readonly string[] | undefined, fields: Fields): readonly string[] {
  const ids = [...VERCEL_REGIONS.keys()];
  return asList(input).flatMap((given, index) => {
    const place = Array.isArray(input) ? ["regions", index] : ["regions"];
    const id = fields.plain(given, place);
    if (id === undefined) return [];
    if (!VERCEL_REGIONS.has(id))
      fields.report.error(
        "value-format",
        place,
        `${JSON.stringify(id)} is no region of Vercel.`,
        didYouMean(id, ids) ?? `There are ${ids.join(", ")}.`,
      );
    return [id];
  });
}

/** The config can't move functions by itself: what it says and what happens must not part. */
export function reportVercelJson(
  regions: readonly string[],
  vercelJson: VercelJson | undefined,
  vercel: boolean,
  report: Report,
): void {
  if (regions.length === 0 || (vercelJson === undefined && !vercel)) return;
  const say = (message: string, fix: string) => report[vercel ? "error" : "warn"]("vercel-regions", ["regions"], message, fix);
  const { regions: said, functions = {} } = vercelJson ?? {};
  const wanted = `"regions": ${JSON.stringify(regions)}`;
  if (said === undefined) say("vercel.json names no region, and Vercel goes by that file alone.", `Add ${wanted} to it.`);
  else if (!isSame(said, regions))
    say(`vercel.json says ${JSON.stringify(said)}, and Vercel goes by that file.`, `Write ${wanted} there.`);
  for (const [path, own] of Object.entries(functions)) {
    if (own?.regions !== undefined && !isSame(own.regions, regions))
      say(`vercel.json says ${JSON.stringify(own.regions)} for ${path}.`, "Leave them out there, or name the same.");
  }
}

/** Who is to be served in a place should not be served by way of another continent; who must stay in it can't be. */
export function reportDistantPlaces(regions: readonly string[], backends: readonly CompiledBackend[], report: Report): void {
  if (regions.length === 0) return;
  const served = continentsOf(regions);
  for (const { name, targets, strict = false } of backends) {
    for (const [index, { where }] of targets.entries()) {
      const distant = where ? continentsNamed(where).filter((continent) => !served.has(continent)) : [];
      if (distant.length === 0) continue;
      const near = distant.flatMap(
        (continent) => [...VERCEL_REGIONS.keys()].find((id) => continentsOf([id]).has(continent)) ?? [],
      );
      const place = ["backends", name, "targets", index, "where"];
      const through = `by way of ${regions.map(regionText).join(", ")}`;
      const fix = near.length > 0 ? `Add one there to \`regions\`: ${near.map(regionText).join(", ")}.` : undefined;
      if (strict)
        report.error(
          "place-without-region",
          place,
          `with \`strict\` nothing may leave ${distant.join(", ")}, and requests go ${through}.`,
          fix,
        );
      else report.warn("place-without-region", place, `callers in ${distant.join(", ")} are served ${through}.`, fix);
    }
  }
}

function continentsNamed({ continents, countries, subdivisions, unions }: Region): readonly Continent[] {
  const inCountries = [
    ...countries,
    ...subdivisions.map((code) => code.slice(0, 2)),
    ...unions.flatMap((union) => UNIONS[union]),
  ];
  const named = [...(continents as readonly Continent[]), ...inCountries.flatMap((country) => continentOf(country) ?? [])];
  return [...new Set(named)];
}

function isSame(said: unknown, regions: readonly string[]): boolean {
  const list = asList(said);
  return list.length === regions.length && regions.every((id) => list.includes(id));
}
