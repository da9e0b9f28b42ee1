/** `redirect`: sends the caller elsewhere. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import { parameterFault } from "../../config/framework-parameters.ts";
import type { ConfigPath } from "../../config/issue.ts";
import type { KeySchema } from "../../config/policy-schema.ts";
import { isReference } from "../../config/references.ts";
import { flag, oneOf, reference, strict } from "../../config/schema-fields.ts";
import { REDIRECT_STATUSES } from "../../config/value-kinds.ts";
import type { Template } from "../../contract/template.ts";

/** What the policy's `create` gets. `to` is rendered for the destination `path`. */
export interface RedirectOptions {
  readonly status: number;
  readonly to: Template;
  /** Adds the query as received; after `?`, or after `&` where `to` has a query of its own. */
  readonly keepQuery: boolean;
}

const full = strict("redirect", {
  to: z.string().describe("An http or https URL, or a path from `/`. May hold request values behind its host"),
  status: oneOf(`one of ${REDIRECT_STATUSES.join(", ")}`, [z.literal(REDIRECT_STATUSES), reference])
    .optional()
    .describe("302 by default; 301, 302, 303, 307 or 308"),
  keepQuery: flag
    .optional()
    .describe("Whether the query as received is added to `to`; false by default. (A `rewrite` always keeps it.)"),
});
const setting = oneOf("a URL or { to, status, keepQuery }", [z.string(), full]);

export const redirectSchema = {
  setting: setting.describe("Redirects: a URL (with status 302), or `{ to, status, keepQuery }`"),
  isDestination: true,
  ignoresShadow: true,
  compile(input: z.output<typeof setting>, place: ConfigPath, fields: Fields): RedirectOptions {
    const { to, status = 302, keepQuery = false } = typeof input === "string" ? { to: input } : input;
    const at = typeof input === "string" ? place : [...place, "to"];
    const template = fields.template(to, at, "path") ?? ["/"];
    checkTarget(template, at, fields);
    const fault = parameterFault(template);
    if (fault) fields.report.error("redirect-target", at, `${fault}.`);
    return {
      status: fields.value(status, [...place, "status"], "redirectStatus") ?? 302,
      to: template,
      keepQuery: fields.value(keepQuery, [...place, "keepQuery"], "boolean") ?? false,
    };
  },
} satisfies KeySchema;

/** Where it leads must be settled before the first value of the request, or a caller could choose the site: open redirect. */
function checkTarget(template: Template, place: ConfigPath, { report }: Fields): void {
  const firstValue = template.findIndex((part) => typeof part !== "string" && !isReference(part));
  const settled = firstValue < 0 ? template : template.slice(0, firstValue);
  // A variable may hold the origin, or any text within a URL.
  const start = settled.map((part) => (typeof part === "string" ? part : "\0")).join("");
  if (!/^(?:https?:\/\/[^/?#\\]|\/(?![/\\])|\0)/.test(start)) {
    if (firstValue === 0)
      report.error(
        "open-redirect",
        place,
        "a value of the request may not choose where a redirect leads.",
        "Begin with a path or a whole origin.",
      );
    else report.error("redirect-target", place, "expected an http or https URL, or a path that begins with one slash.");
    return;
  }
  if (firstValue < 0) return;
  const first = template[firstValue]!;
  const severalSegments = typeof first === "object" && first.many === true;
  // `/${params.rest}` could become `//evil.example`, which browsers read as another site.
  const isOpen = start.startsWith("/") ? start === "/" && severalSegments : !/^(?:https?:\/\/[^/?#]+|\0+)[/?#]/.test(start);
  if (isOpen)
    report.error(
      "open-redirect",
      place,
      "a value of the request could change the site that this leads to.",
      "Put a whole origin or a first path segment before it.",
    );
}
