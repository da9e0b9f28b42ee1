/** What goes by where callers are, while nobody tells the Node host: it would run, and serve everybody as one of whom nothing is known. */

import type { ConfigPath, Report } from "../../config/issue.ts";
import type { CompiledBackend } from "../../contract/compiled/config.ts";
import type { Draft } from "../compile-route.ts";

const FIX =
  "Say whose fields count in `trust.geo`, with their proxies in `trust.proxies`, or name a database in GATEWAY_GEO_DATABASE. On Vercel the platform tells it; to try it out: --geo DE.";

export function reportUnknownPlaces(drafts: readonly Draft[], backends: readonly CompiledBackend[], report: Report): void {
  const warn = (place: ConfigPath, consequence: string) =>
    report.warn("place-unknown", place, `nobody tells the Node host where callers are: ${consequence}.`, FIX);
  for (const { name, targets, strict, balance } of backends) {
    const first = targets.findIndex(({ where }) => where);
    const isRefused = strict && targets.every(({ where }) => where);
    if (first >= 0)
      warn(["backends", name, "targets", first, "where"], isRefused ? "all of them get 503" : "all of them get the same targets");
    if (balance.by === "nearest") warn(["backends", name, "balance"], "no target is the nearest, and each takes its turn");
  }
  for (const { route, place } of drafts)
    if (route.variants.some(({ steps }) => steps.some(({ policy }) => policy === "geo")))
      warn(place, "to its `geo` all of them are `unknown`");
}
