/** The OpenAPI 3.1 document of the admin API, made of the table of operations that serves it. */
import type { Json } from "../contract/json.ts";
import { PROBLEMS, type ProblemCode } from "../contract/problem.ts";
import type { Operation } from "./api.ts";
import type { JsonSchema } from "./json-schema.ts";
import { VERSION } from "./version.ts";

/** What every operation may refuse with, by what it takes. */
const ALWAYS: readonly ProblemCode[] = ["credentials-missing", "credentials-invalid", "rate-limited", "csrf-denied"];
const WITH_INPUT: readonly ProblemCode[] = ["request-invalid"];
const WITH_BODY: readonly ProblemCode[] = ["payload-too-large", "unsupported-media-type", "request-timeout"];

const PROBLEM: JsonSchema = {
  type: "object",
  required: ["type", "title", "status", "code", "requestId"],
  properties: {
    type: { type: "string", format: "uri-reference", description: "The problem's page" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    instance: { type: "string" },
    code: { type: "string" },
    requestId: { type: "string" },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["pointer", "detail"],
        properties: {
          pointer: { type: "string", description: "JSON Pointer into the body, or `?name` of the query" },
          detail: { type: "string" },
        },
      },
    },
  },
};

export function openApiDocument(operations: readonly Operation[]): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = `/gateway/api/${operation.path}`;
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describe(operation) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Frontdesk's admin API", version: VERSION, description: "For the bearer of GATEWAY_ADMIN_TOKEN." },
    security: [{ adminToken: [] }],
    paths: paths as Json,
    components: {
      securitySchemes: { adminToken: { type: "http", scheme: "bearer" } },
      schemas: { Problem: PROBLEM as unknown as Json },
    },
  };
}

/** Codes of refusals by status, as the document lists them. */
export function refusalsOf({ query, body, refuses }: Operation): ReadonlyMap<number, readonly ProblemCode[]> {
  const codes = new Set([...ALWAYS, ...(query || body ? WITH_INPUT : []), ...(body ? WITH_BODY : []), ...refuses]);
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}

function describe(operation: Operation): unknown {
  const { name, path, summary, query = {}, body, status, answer } = operation;
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, param]) => ({
    name: param,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(query).map(([param, schema]) => ({ name: param, in: "query", schema }));
  const refusals = [...refusalsOf(operation)].map(([refused, codes]) => [
    refused,
    {
      description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join("; "),
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    },
  ]);
  return {
    operationId: name,
    summary,
    parameters: [...inPath, ...inQuery],
    ...(body
      ? { requestBody: { required: (body.required ?? []).length > 0, content: { "application/json": { schema: body } } } }
      : {}),
    responses: {
      [status]: { description: summary, ...(answer ? { content: { "application/json": { schema: answer } } } : {}) },
      ...Object.fromEntries(refusals),
    },
  };
}
