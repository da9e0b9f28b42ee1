/** `geo`: lets callers of some places in, or keeps them out. */

import type { PolicyDefinition } from "../../contract/policy.ts";
import { refuse } from "../../contract/problem.ts";
import { createRegionTest } from "../../http/region.ts";
import type { GeoOptions } from "./options.ts";

export const geo: PolicyDefinition<GeoOptions> = {
  name: "geo",
  phase: "screen",
  refuses: ["geo-denied"],
  cacheable: false,
  create({ allow, deny, unknown }) {
    const isDenied = deny && createRegionTest(deny);
    const isAllowed = allow && createRegionTest(allow);
    return {
      decide({ request: { client } }) {
        const { geo } = client;
        const denied = isDenied?.(geo) ?? "outside";
        const allowed = isAllowed?.(geo) ?? "inside";
        if (denied === "inside") return refuse("geo-denied", { reason: `${nameOf(geo?.country)} is denied` });
        if (allowed === "outside") return refuse("geo-denied", { reason: `${nameOf(geo?.country)} is not allowed` });
        const isForgiven = unknown === "allow" && !(client.isDisputed && geo === undefined);
        if (isForgiven || (denied === "outside" && allowed === "inside")) return undefined;
        return refuse("geo-denied", { reason: "where the caller is can't be told" });
      },
    };
  },
};

function nameOf(country: string | undefined): string {
  return country ?? "the caller's place";
}
