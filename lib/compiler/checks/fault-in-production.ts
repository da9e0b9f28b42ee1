/** Faults that are made on purpose: an error in production unless they are forced, and a warning elsewhere, so that no drill is forgotten. */

import type { Report } from "../../config/issue.ts";
import { stepsOfPolicy } from "../../policies/policy-step.ts";
import type { Draft } from "../compile-route.ts";

export function reportFaults(drafts: readonly Draft[], isProduction: boolean, report: Report): void {
  for (const { route, place } of drafts) {
    const faults = stepsOfPolicy("fault", [route]);
    if (faults.length === 0) continue;
    const isForced = faults.every(({ options }) => options.force);
    if (isProduction && !isForced) {
      report.error(
        "fault-in-production",
        [...place, "fault"],
        "this is production, and requests would fail on purpose.",
        "Say `force: true` if you mean it.",
      );
    } else report.warn("fault-in-production", [...place, "fault"], "requests of this route wait or fail on purpose.");
  }
}
