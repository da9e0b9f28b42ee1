/** Tells that a config speaks of a backend that it does not have. */
import type { CompiledBackend } from "./compiled.ts";
import type { Place, Report } from "./issue.ts";
import { didYouMean } from "./nearest.ts";

export function unknownBackend(name: string, place: Place, backends: readonly CompiledBackend[], report: Report): void {
  const names = backends.map((backend) => backend.name);
  const fix = didYouMean(name, names) ?? (names.length > 0 ? `There are ${names.join(", ")}.` : "There are no backends.");
  report.error("unknown-backend", place, `there is no backend called "${name}".`, fix);
}
