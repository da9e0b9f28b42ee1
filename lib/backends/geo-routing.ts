/**
 * `where`: which of a backend's targets are for a caller, by where that is. The pool is made of the targets that name the place
 * most closely; unless the backend is strict, the others stand behind it, in the same order.
 */
import type { CompiledTarget } from "../contract/compiled/backend.ts";
import type { TargetOrder } from "../contract/exchange.ts";
import type { Policy } from "../contract/policy.ts";
import { refuse } from "../contract/problem.ts";
import type { Geo } from "../http/geo.ts";
import { COUNTRY_CODES, continentOf, UNIONS } from "../http/geography.ts";
import type { Region } from "../http/region.ts";
import { targetOrderOf } from "./target-order.ts";

export interface GeoRouting {
  /** Empty where a strict backend has no target for the place. */
  poolFor: PoolFor;
  /** Each pool that anybody gets. */
  pools(): Iterable<TargetOrder>;
}

export type PoolFor = (geo: Geo | undefined) => TargetOrder;

/** How closely a target is meant for a place: the lower, the closer. */
const SUBDIVISION = 0;
const COUNTRY = 1;
const UNION = 2;
const CONTINENT = 3;
const EVERYONE_ELSE = 4;
/** For callers of another place. */
const ELSEWHERE = 5;

type Placed = Pick<CompiledTarget, "weight" | "priority" | "where">;

/** Made for every country when a config is loaded: a request looks it up. */
export function createGeoRouting(targets: readonly Placed[], isStrict: boolean): GeoRouting {
  /** By the ranks of the targets: of the many countries, few have a pool of their own. */
  const known = new Map<string, TargetOrder>();
  const poolAt = (geo: Geo): TargetOrder => {
    const ranks = targets.map(({ where }) => (where ? closenessOf(where, geo) : EVERYONE_ELSE));
    const key = ranks.join();
    const pool = known.get(key) ?? targetOrderOf(isStrict ? closestOf(targets, ranks) : targets, (index) => ranks[index]!);
    known.set(key, pool);
    return pool;
  };
  const regions = targets.flatMap(({ where }) => where ?? []);
  const unknown = poolAt({});
  const byContinent = new Map(
    regions.flatMap(({ continents }) => continents).map((continent) => [continent, poolAt({ continent })]),
  );
  const byCountry = new Map(COUNTRY_CODES.map((country) => [country, poolAt({ continent: continentOf(country), country })]));
  /** By country, and only where parts of it are named. */
  const bySubdivision = new Map<string, Map<string, TargetOrder>>();
  for (const [country, subdivision] of regions.flatMap(({ subdivisions }) => subdivisions).map(partsOf)) {
    const parts = bySubdivision.get(country) ?? new Map<string, TargetOrder>();
    bySubdivision.set(country, parts.set(subdivision, poolAt({ continent: continentOf(country), country, subdivision })));
  }
  const poolFor: PoolFor = (geo) => {
    if (geo === undefined) return unknown;
    const { continent, country, subdivision } = geo;
    if (country === undefined) return (continent !== undefined && byContinent.get(continent)) || unknown;
    // Who tells where callers are may draw the border of a continent elsewhere than we do.
    if (continent !== undefined && continent !== continentOf(country)) return poolAt(geo);
    const part = subdivision === undefined ? undefined : bySubdivision.get(country)?.get(subdivision);
    return part ?? byCountry.get(country) ?? unknown;
  };
  return { poolFor, pools: () => known.values() };
}

/** The others take nothing. A target that is drained counts all the same: its callers must not leave their pool for that. */
function closestOf(targets: readonly Placed[], ranks: readonly number[]): Placed[] {
  const closest = Math.min(...ranks);
  return targets.map((target, index) => (closest === ELSEWHERE || ranks[index] !== closest ? { ...target, weight: 0 } : target));
}

/** What is not told is not there: somebody of whom the country is known alone is in none of its parts. */
function closenessOf({ continents, countries, subdivisions, unions }: Region, { continent, country, subdivision }: Geo): number {
  if (country !== undefined) {
    if (subdivision !== undefined && subdivisions.includes(`${country}-${subdivision}`)) return SUBDIVISION;
    if (countries.includes(country)) return COUNTRY;
    if (unions.some((union) => UNIONS[union].includes(country))) return UNION;
  }
  return continent !== undefined && continents.includes(continent) ? CONTINENT : ELSEWHERE;
}

function partsOf(subdivision: string): readonly [country: string, subdivision: string] {
  return [subdivision.slice(0, 2), subdivision.slice(3)];
}

export function whereStep(poolFor: PoolFor): Policy {
  return {
    decide(exchange) {
      const { geo } = exchange.request.client;
      const pool = poolFor(geo);
      if (pool.length === 0)
        return refuse("no-backend-available", {
          detail: "No backend serves the place that the request comes from.",
          reason: `strict: no target is for ${nameOf(geo)}`,
        });
      exchange.pool = pool;
      return undefined;
    },
  };
}

function nameOf(geo: Geo | undefined): string {
  return geo?.country ?? geo?.continent ?? "a caller whose place is not known";
}
