/** Whose requests the targets of a backend take, by where callers are: for `frontdesk check`. */
import type { CompiledTarget } from "../contract/compiled/backend.ts";
import type { Region } from "../http/region.ts";

export interface PlacesFacts {
  readonly targets: readonly { readonly url: string /** Null: everyone else. */; readonly where: Region | null }[];
  readonly strict: boolean;
}

/** Undefined where no target says `where`. */
export function placesOf(targets: readonly CompiledTarget[], strict = false): PlacesFacts | undefined {
  if (!targets.some(({ where }) => where)) return undefined;
  return { targets: targets.map(({ url, where = null }) => ({ url, where })), strict };
}

export function placesLines({ targets, strict }: PlacesFacts): string[] {
  const hasOthers = targets.some(({ where }) => where === null);
  const others = hasOthers ? "" : "; callers of other places get 503";
  return [
    ...targets.map(({ url, where }) => `${url} for ${where ? regionText(where) : "everyone else"}`),
    strict
      ? `strict: no request leaves the targets of its place${others}`
      : "failover may leave the targets of a place: `strict` keeps it there",
  ];
}

function regionText({ subdivisions, countries, unions, continents }: Region): string {
  const kinds = { subdivisions, countries, union: unions, continents };
  return Object.entries(kinds)
    .flatMap(([kind, codes]) => (codes.length > 0 ? [`${kind} ${codes.join(", ")}`] : []))
    .join("; ");
}
