/** Tells that a config speaks of a backend that it does not have. */

import type { ConfigPath, Report } from "../config/issue.ts";
import { didYouMean } from "../config/nearest.ts";
import type { CompiledBackend } from "../contract/compiled/config.ts";

export function unknownBackend(name: string, place: ConfigPath, backends: readonly CompiledBackend[], report: Report): void {
  const names = backends.map((backend) => backend.name);
  const fix = didYouMean(name, names) ?? (names.length > 0 ? `There are ${names.join(", ")}.` : "There are no backends.");
  report.error("unknown-backend", place, `there is no backend called "${name}".`, fix);
}
