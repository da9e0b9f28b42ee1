/** Where Vercel runs functions: its regions, as of 2026 (vercel.com/docs/regions). */
import { type Continent, continentOf } from "./geography.ts";

export interface VercelRegion {
  readonly city: string;
  /** ISO 3166-1. */
  readonly country: string;
}

const region = (city: string, country: string): VercelRegion => ({ city, country });

export const VERCEL_REGIONS: ReadonlyMap<string, VercelRegion> = new Map([
  ["arn1", region("Stockholm", "SE")],
  ["bom1", region("Mumbai", "IN")],
  ["cdg1", region("Paris", "FR")],
  ["cle1", region("Cleveland", "US")],
  ["cpt1", region("Cape Town", "ZA")],
  ["dub1", region("Dublin", "IE")],
  ["dxb1", region("Dubai", "AE")],
  ["fra1", region("Frankfurt", "DE")],
  ["gru1", region("São Paulo", "BR")],
  ["hkg1", region("Hong Kong", "HK")],
  ["hnd1", region("Tokyo", "JP")],
  ["iad1", region("Washington", "US")],
  ["icn1", region("Seoul", "KR")],
  ["kix1", region("Osaka", "JP")],
  ["lhr1", region("London", "GB")],
  ["pdx1", region("Portland", "US")],
  ["sfo1", region("San Francisco", "US")],
  ["sin1", region("Singapore", "SG")],
  ["syd1", region("Sydney", "AU")],
  ["yul1", region("Montréal", "CA")],
]);

/** Those on which at least one of the regions stands. */
export function continentsOf(regions: readonly string[]): ReadonlySet<Continent> {
  return new Set(regions.flatMap((id) => continentOf(VERCEL_REGIONS.get(id)?.country ?? "") ?? []));
}

/** `fra1 (Frankfurt, DE)` */
export function regionText(id: string): string {
  const found = VERCEL_REGIONS.get(id);
  return found ? `${id} (${found.city}, ${found.country})` : id;
}
