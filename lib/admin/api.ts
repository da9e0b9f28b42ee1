/**
 * The admin API as a table of operations: each says its method, path, input and answers, and the OpenAPI document is made of the same
 * table. It knows nothing of HTTP bodies and headers (./api-http.ts does), so that the command runs it on the stores directly.
 */
import type { CompiledConfig } from "../contract/compiled/config.ts";
import type { Log } from "../contract/deps.ts";
import type { Json } from "../contract/json.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import { type ProblemCode, type Refusal, refuse } from "../contract/problem.ts";
import type { Unavailable } from "../contract/stores/reply.ts";
import type { Stores } from "../contract/stores/stores.ts";
import { type Fault, faultsIn, type JsonSchema } from "./json-schema.ts";

export interface Operation {
  /** Its operationId. */
  readonly name: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below /gateway/api/; `{name}` is one segment. */
  readonly path: string;
  readonly summary: string;
  /** Parameters of the query, by name; whole numbers are given as text. */
  readonly query?: Readonly<Record<string, JsonSchema>>;
  readonly body?: JsonSchema;
  /** Of success. */
  readonly status: number;
  readonly answer?: JsonSchema;
  /** Beside those that every operation may refuse with. */
  readonly refuses: readonly ProblemCode[];
  run(call: Call): MaybePromise<Done | Refusal>;
}

export interface Call {
  readonly params: Readonly<Record<string, string>>;
  /** Checked; numbers are numbers, and defaults are filled in. */
  readonly query: Readonly<Record<string, string | number | undefined>>;
  /** Checked; an empty object where none was sent. */
  readonly body: unknown;
  readonly actor: Actor;
}

/** Who did it and from where, for the audit log. */
export interface Actor {
  readonly by: "operator" | "command";
  readonly ip?: string | undefined;
  readonly user?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly requestId?: string | undefined;
}

export interface Done {
  readonly body?: Json | undefined;
  /** Name, value, name, value. */
  readonly headers?: readonly string[];
}

/** What operations work on. */
export interface ApiContext {
  readonly stores: Stores;
  readonly log: Log;
  /** References resolved or not: only names, paths and prefixes are read. */
  readonly config: CompiledConfig;
  now(): number;
  random(bytes: number): Uint8Array;
}

export interface Api {
  readonly operations: readonly Operation[];
  /** The operation, or the methods that this path has; undefined where there is no such path. */
  find(method: string, segments: readonly string[]): Found | { readonly allow: readonly string[] } | undefined;
}

export interface Found {
  readonly operation: Operation;
  readonly params: Readonly<Record<string, string>>;
}

export function createApi(operations: readonly Operation[]): Api {
  const patterns = operations.map((operation) => ({ operation, pattern: operation.path.split("/") }));
  return {
    operations,
    find(method, segments) {
      const found = patterns.flatMap(({ operation, pattern }) => {
        const params = match(pattern, segments);
        return params ? [{ operation, params }] : [];
      });
      if (found.length === 0) return undefined;
      const asked = found.find(({ operation }) => operation.method === (method === "HEAD" ? "GET" : method));
      return (
        asked ?? { allow: found.flatMap(({ operation }) => (operation.method === "GET" ? ["GET", "HEAD"] : operation.method)) }
      );
    },
  };
}

/** Checks the input and runs the operation. */
export function runOperation(
  { operation, params }: Found,
  { query, body, actor }: { readonly query: URLSearchParams; readonly body: unknown; readonly actor: Actor },
): MaybePromise<Done | Refusal> {
  const read = readQuery(query, operation.query ?? {});
  const faults = [...read.faults, ...(operation.body ? faultsIn(body, operation.body) : [])];
  return faults.length > 0 ? refuseFaults(faults) : operation.run({ params, query: read.values, body, actor });
}

export function refuseFaults(errors: readonly Fault[]): Refusal {
  return refuse("request-invalid", { errors, reason: errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join("; ") });
}

export function refuseUnavailable({ reason }: Unavailable): Refusal {
  return refuse("store-unavailable", { reason: `the store did not answer (${reason})`, headers: ["retry-after", "1"] });
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index]!;
    if (!part.startsWith("{")) {
      if (part !== segment) return undefined;
    } else if (segment === "") return undefined;
    else params[part.slice(1, -1)] = segment;
  }
  return params;
}

function readQuery(
  query: URLSearchParams,
  schemas: Readonly<Record<string, JsonSchema>>,
): { values: Call["query"]; faults: Fault[] } {
  const values: Record<string, string | number | undefined> = {};
  const faults = [...new Set(query.keys())]
    .filter((name) => !Object.hasOwn(schemas, name))
    .map((name) => ({
      pointer: `?${name}`,
      detail: `there is no such parameter; there are ${Object.keys(schemas).join(", ") || "none"}`,
    }));
  for (const [name, schema] of Object.entries(schemas)) {
    const given = query.getAll(name);
    const [text] = given;
    const value = schema.type === "integer" && text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : text;
    values[name] = value ?? schema.default;
    if (given.length > 1) faults.push({ pointer: `?${name}`, detail: "it is given twice" });
    else if (value !== undefined) faults.push(...faultsIn(value, schema, `?${name}`));
  }
  return { values, faults };
}
