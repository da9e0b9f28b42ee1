/** `stripPrefix` and `rewrite`: the path that is sent on. */

import type { Fields } from "../config/fields.ts";
import { parameterFault } from "../config/framework-parameters.ts";
import type { ConfigPath } from "../config/issue.ts";
import type { PathPattern } from "../config/path-pattern.ts";
import type { Rewrite } from "../contract/compiled/config.ts";
import type { Template } from "../contract/template.ts";

interface RewriteSettings {
  readonly path?: string | undefined;
  readonly stripPrefix?: string | undefined;
  readonly rewrite?: string | undefined;
}

export function compileRewrite(
  settings: RewriteSettings,
  pattern: PathPattern | undefined,
  place: ConfigPath,
  fields: Fields,
): Rewrite | undefined {
  const { stripPrefix, rewrite } = settings;
  if (stripPrefix !== undefined && rewrite !== undefined) {
    fields.report.error("rewrite-grammar", [...place, "rewrite"], "`rewrite` and `stripPrefix` exclude each other.");
  }
  if (rewrite !== undefined) return compileTemplate(rewrite, [...place, "rewrite"], fields);
  return stripPrefix === undefined ? undefined : compileStrip(stripPrefix, pattern, [...place, "stripPrefix"], fields);
}

function compileTemplate(rewrite: string, place: ConfigPath, fields: Fields): Rewrite | undefined {
  const template = fields.template(rewrite, place, "path");
  if (!template) return undefined;
  const fault = faultOf(template);
  if (fault) fields.report.error("rewrite-grammar", place, `${JSON.stringify(rewrite)} is not a path to send on: ${fault}.`);
  return { kind: "path", template };
}

function faultOf(template: Template): string | undefined {
  const outline = template.map((part) => (typeof part === "string" ? part : "x")).join("");
  if (typeof template[0] === "string" ? !template[0].startsWith("/") : true) return "it must begin with a slash";
  if (/[?#]/.test(outline)) return "the query is kept as received, and can't be written here";
  if (/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(outline)) return "it has a dot segment";
  if (outline.includes("\\")) return "it has a backslash";
  return parameterFault(template);
}

function compileStrip(prefix: string, pattern: PathPattern | undefined, place: ConfigPath, fields: Fields): Rewrite | undefined {
  const plain = fields.plain(prefix, place);
  if (plain === undefined || !pattern) return undefined;
  const segments = plain.slice(1).split("/");
  // Literal segments of the path only: what a request holds there is known.
  const fits =
    plain.startsWith("/") &&
    plain.length > 1 &&
    segments.every((segment, index) => segment !== ":" && segment !== "*" && segment === pattern.shape[index]);
  if (!fits) {
    const literal = pattern.shape.findIndex((segment) => segment === ":" || segment === "*" || segment === "");
    const longest = pattern.shape.slice(0, literal < 0 ? undefined : literal).join("/");
    const fix = longest ? `It may be /${longest}, or less of it.` : "It begins with a parameter: use `rewrite`.";
    fields.report.error(
      "strip-prefix",
      place,
      `${JSON.stringify(prefix)} is not the beginning of this route's path, in whole literal segments.`,
      fix,
    );
    return undefined;
  }
  return { kind: "strip", prefix: plain, encoded: encodeURI(plain) };
}
