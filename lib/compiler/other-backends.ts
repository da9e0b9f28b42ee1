/** Other backends that a route speaks of: its `mirror`, and the one of its `fallback`. */

import type { Fields } from "../config/fields.ts";
import type { ConfigPath } from "../config/issue.ts";
import type { CompiledBackend, CompiledMirror } from "../contract/compiled/config.ts";
import { unknownBackend } from "./named-backend.ts";
import type { RouteSettings } from "./route-settings.ts";

const STANDARD_MAX_BODY = 64 * 1024;

/** Undefined where there is none, or where its fault has been reported. `own` is the index of the backend that answers. */
export function compileMirror(
  merged: RouteSettings,
  own: number,
  backends: readonly CompiledBackend[],
  fields: Fields,
): CompiledMirror | undefined {
  const { value, place } = merged.get("mirror");
  if (!value) return undefined;
  const given = typeof value === "string" ? { backend: value } : value;
  const at = (key: string): ConfigPath => (typeof value === "string" ? place : [...place, key]);
  const backend = backends.findIndex(({ name }) => name === given.backend);
  if (backend < 0) {
    unknownBackend(given.backend, at("backend"), backends, fields.report);
    return undefined;
  }
  if (backend === own)
    fields.report.error(
      "said-twice",
      at("backend"),
      `the request goes to "${given.backend}" already: it would be carried out twice.`,
    );
  reportLeaving(backends[own]!, backends[backend]!, at("backend"), fields);
  return {
    backend,
    share: given.percent === undefined ? 1 : (fields.value(given.percent, at("percent"), "percent") ?? 1),
    maxBodyBytes:
      given.maxBody === undefined ? STANDARD_MAX_BODY : (fields.value(given.maxBody, at("maxBody"), "size") ?? STANDARD_MAX_BODY),
  };
}

/** The backend that is asked when the route's own has failed. */
export function otherBackend(
  merged: RouteSettings,
  own: number,
  backends: readonly CompiledBackend[],
  fields: Fields,
): number | undefined {
  const { value, place } = merged.get("fallback");
  if (!value || value.backend === undefined) return undefined;
  const at = [...place, "backend"];
  const index = backends.findIndex(({ name }) => name === value.backend);
  if (index < 0) unknownBackend(value.backend, at, backends, fields.report);
  if (index === own) {
    // Where it was said for many backends, this one must be able to say otherwise.
    const fix = at[0] === "defaults" ? `Write \`fallback: false\` at that backend, or a \`fallback\` of its own.` : undefined;
    fields.report.error("said-twice", at, `the request goes to "${value.backend}" already.`, fix);
  }
  if (index < 0) return undefined;
  reportLeaving(backends[own]!, backends[index]!, at, fields);
  return index;
}

/** What must stay in a place may go to another backend only where that keeps it there, too. */
function reportLeaving(own: CompiledBackend, other: CompiledBackend, place: ConfigPath, { report }: Fields): void {
  if (!own.strict || other.strict) return;
  report.error(
    "strict-place",
    place,
    `"${own.name}" is \`strict\`: its requests stay where their callers' \`where\` is, and "${other.name}" may be anywhere.`,
    `Give the targets of "${other.name}" a \`where\`, and \`strict: true\`.`,
  );
}
