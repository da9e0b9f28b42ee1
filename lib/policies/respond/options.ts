/** `respond`: an answer that the gateway gives itself. */
import { z } from "zod";
import type { Fields } from "../../config/fields.ts";
import { headerTemplates } from "../../config/header-fields.ts";
import type { Place } from "../../config/issue.ts";
import { oneOf, oneOrMore, reference, strict } from "../../config/schema-fields.ts";
import type { Json } from "../../exchange.ts";
import type { Template } from "../../http/template.ts";

/** What the policy's `create` gets. */
export interface RespondOptions {
  readonly status: number;
  /** Names in lower case, `content-type` included wherever there is a body. */
  readonly headers: readonly (readonly [name: string, value: Template])[];
  /** Render the template for the destination that `kind` names: for `json` it is JSON text already, only the values need encoding. */
  readonly body: { readonly kind: "text" | "json"; readonly template: Template } | null;
}

const CONTENT_TYPES = { text: "text/plain; charset=utf-8", json: "application/json" } as const;
/** RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5. */
const STATUSES_WITHOUT_BODY = new Set([204, 205, 304]);

const setting = strict("respond", {
  status: oneOf("a status from 200 to 599", [z.number(), reference]).optional().describe("200 by default"),
  headers: z
    .record(z.string(), oneOrMore("a text or a list of texts", z.string()))
    .optional()
    .describe("Header fields of the answer. Values may hold request values"),
  body: z
    .string()
    .optional()
    .describe("The body as text, `text/plain` unless `headers` has a `content-type`. May hold request values"),
  json: z
    .json()
    .optional()
    .describe("The body as JSON. Texts in it (not names) may hold request values; they are encoded for JSON"),
});

export const respondSchema = {
  setting: setting.describe("Answers without a backend: `{ status, headers, body }` or `{ status, headers, json }`"),
  compile(input: z.output<typeof setting>, place: Place, fields: Fields): RespondOptions {
    const status = fields.value(input.status ?? 200, [...place, "status"], "status") ?? 200;
    const headers = headerTemplates(input.headers ?? {}, "response", [...place, "headers"], fields);
    if (input.body !== undefined && input.json !== undefined) {
      fields.report.error("body-conflict", place, "`body` and `json` exclude each other.");
    }
    const body = bodyOf(input, place, fields);
    if (body && STATUSES_WITHOUT_BODY.has(status)) {
      fields.report.error("body-not-allowed", place, `an answer with status ${status} has no body.`);
    }
    if (body && !headers.some(([name]) => name === "content-type")) headers.push(["content-type", [CONTENT_TYPES[body.kind]]]);
    return { status, headers, body };
  },
};

function bodyOf(input: z.output<typeof setting>, place: Place, fields: Fields): RespondOptions["body"] {
  if (input.json !== undefined) return { kind: "json", template: joined(jsonTemplate(input.json, [...place, "json"], fields)) };
  if (input.body === undefined) return null;
  return { kind: "text", template: fields.template(input.body, [...place, "body"], "string") ?? [] };
}

/** JSON text with the request values of its strings left open. */
function jsonTemplate(value: Json, place: Place, fields: Fields): Template {
  if (typeof value === "string") return ['"', ...(fields.template(value, place, "json") ?? []), '"'];
  if (typeof value !== "object" || value === null) return [JSON.stringify(value)];
  const isList = Array.isArray(value);
  const items = Object.entries(value).map(([key, item]): Template => {
    const inner = jsonTemplate(item as Json, [...place, isList ? Number(key) : key], fields);
    return isList ? inner : [`${JSON.stringify(key)}:`, ...inner];
  });
  const separated = items.flatMap((item, index) => (index === 0 ? item : [",", ...item]));
  return [isList ? "[" : "{", ...separated, isList ? "]" : "}"];
}

function joined(template: Template): Template {
  const parts: Template[number][] = [];
  for (const part of template) {
    if (typeof part === "string" && typeof parts.at(-1) === "string") parts.push(`${parts.pop()}${part}`);
    else parts.push(part);
  }
  return parts;
}
