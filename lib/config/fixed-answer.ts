/** An answer that a config writes out: what it may say, and its compiled form. */
import { z } from "zod";
import type { FixedAnswer } from "../contract/fixed-answer.ts";
import type { Json } from "../contract/json.ts";
import type { Template } from "../contract/template.ts";
import type { Fields } from "./fields.ts";
import { headerTemplates } from "./header-fields.ts";
import type { ConfigPath } from "./issue.ts";
import { oneOf, oneOrMore, reference } from "./schema-fields.ts";

const CONTENT_TYPES = { text: "text/plain; charset=utf-8", json: "application/json" } as const;
/** RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5. */
const STATUSES_WITHOUT_BODY = new Set([204, 205, 304]);

/** `status` is the one that holds where none is said. */
export const fixedAnswer = (status: number) => ({
  status: oneOf("a status from 200 to 599", [z.number(), reference]).optional().describe(`${status} by default`),
  headers: z
    .record(z.string(), oneOrMore("a text or a list of texts", z.string()))
    .optional()
    .describe("Header fields of the answer. Values may hold request values; where the value is empty, the field is left out"),
  body: z
    .string()
    .optional()
    .describe("The body as text, `text/plain` unless `headers` has a `content-type`. May hold request values"),
  json: z
    .json()
    .optional()
    .describe("The body as JSON. Texts in it (not names) may hold request values; they are encoded for JSON"),
});

type FixedAnswerInput = z.output<z.ZodObject<ReturnType<typeof fixedAnswer>>>;

export function compileFixedAnswer(
  input: FixedAnswerInput,
  standardStatus: number,
  place: ConfigPath,
  fields: Fields,
): FixedAnswer {
  const status = fields.value(input.status ?? standardStatus, [...place, "status"], "status") ?? standardStatus;
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
}

function bodyOf(input: FixedAnswerInput, place: ConfigPath, fields: Fields): FixedAnswer["body"] {
  if (input.json !== undefined) return { kind: "json", template: joined(jsonTemplate(input.json, [...place, "json"], fields)) };
  if (input.body === undefined) return null;
  return { kind: "text", template: fields.template(input.body, [...place, "body"], "string") ?? [] };
}

/** JSON text with the request values of its strings left open. */
function jsonTemplate(value: Json, place: ConfigPath, fields: Fields): Template {
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
