/** Settings of a route that can't do anything there. Those of `defaults` are for other routes, too. */
import type { ConfigPath, Report } from "../../config/issue.ts";
import { asList } from "../../config/schema-fields.ts";
import type { RouteSettings, Settings } from "../route-settings.ts";

export function reportUselessSettings(own: Settings, merged: RouteSettings, place: ConfigPath, report: Report): void {
  const methods = own.methods === undefined ? undefined : asList(own.methods);
  if (own.cache && methods && !methods.some(isStored))
    report.warn("useless-setting", [...place, "cache"], NOT_STORED, "Leave it out, or add GET to `methods`.");
  for (const [method, settings] of Object.entries(own.byMethod ?? {})) {
    if (settings.cache && !isStored(method))
      report.warn("useless-setting", [...place, "byMethod", method, "cache"], NOT_STORED, "Leave it out.");
  }
  // A custom policy may say who calls.
  const isAnonymous = merged.get("auth").value === "none" && merged.get("use").value === undefined;
  if (isAnonymous && asList(own.limit || []).includes("tier"))
    report.warn(
      "useless-setting",
      [...place, "limit"],
      "with `auth: none` nobody has a tier: every caller counts by the first one.",
      'Write that limit itself, such as "60/m", or ask for credentials.',
    );
}

/** RFC 9110 section 9.3: a cache may keep answers to GET and HEAD; those to POST only with care, and ours does not. */
const isStored = (method: string) => method === "GET" || method === "HEAD";
const NOT_STORED = "only answers to GET and HEAD are stored.";
