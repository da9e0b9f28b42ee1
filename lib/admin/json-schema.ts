/** The part of JSON Schema (2020-12) that the admin API uses: its bodies are checked by it, and its OpenAPI document holds it. */

type TypeName = "object" | "array" | "string" | "integer" | "boolean" | "null";

export interface JsonSchema {
  readonly type?: TypeName | readonly TypeName[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: JsonSchema;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: "date-time" | "uri-reference";
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  readonly default?: string | number;
  readonly examples?: readonly string[];
}

/** One thing that is wrong: where it stands (a JSON Pointer, RFC 6901) and what is expected there. */
export interface Fault {
  readonly pointer: string;
  readonly detail: string;
}

const NAMES: Readonly<Record<TypeName, string>> = {
  object: "an object",
  array: "a list",
  string: "a text",
  integer: "a whole number",
  boolean: "true or false",
  null: "null",
};

/** All that is wrong; empty where the value fits. Values are never repeated: they may be secrets that were put in the wrong place. */
export function faultsIn(value: unknown, schema: JsonSchema, pointer = ""): Fault[] {
  const types = schema.type === undefined ? [] : [schema.type].flat();
  const type = typeOf(value);
  if (types.length > 0 && !types.includes(type)) {
    return [{ pointer, detail: `expected ${types.map((one) => NAMES[one]).join(" or ")}` }];
  }
  if (type === "string") return textFaults(value as string, schema).map((detail) => ({ pointer, detail }));
  if (type === "integer") return numberFaults(value as number, schema).map((detail) => ({ pointer, detail }));
  if (type === "array") return listFaults(value as readonly unknown[], schema, pointer);
  return type === "object" ? objectFaults(value as Readonly<Record<string, unknown>>, schema, pointer) : [];
}

function typeOf(value: unknown): TypeName {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  // A number that is not whole fits no place here.
  if (typeof value === "number") return Number.isSafeInteger(value) ? "integer" : "null";
  return typeof value as TypeName;
}

function textFaults(text: string, { minLength = 0, maxLength = Infinity, pattern, format, enum: allowed }: JsonSchema): string[] {
  if (text.length < minLength || text.length > maxLength) return [`expected ${minLength} to ${maxLength} characters`];
  if (pattern !== undefined && !new RegExp(pattern, "u").test(text)) return [`expected a text of the form ${pattern}`];
  if (format === "date-time" && !isDateTime(text)) return ["expected a time such as 2027-01-31T12:00:00Z (RFC 3339)"];
  return allowed && !allowed.includes(text) ? [`expected one of ${allowed.join(", ")}`] : [];
}

function numberFaults(number: number, { minimum = -Infinity, maximum = Infinity }: JsonSchema): string[] {
  return number < minimum || number > maximum ? [`expected ${minimum} to ${maximum}`] : [];
}

function listFaults(list: readonly unknown[], { items = {}, maxItems = Infinity }: JsonSchema, pointer: string): Fault[] {
  if (list.length > maxItems) return [{ pointer, detail: `expected at most ${maxItems} entries` }];
  return list.flatMap((item, index) => faultsIn(item, items, `${pointer}/${index}`));
}

function objectFaults(object: Readonly<Record<string, unknown>>, schema: JsonSchema, pointer: string): Fault[] {
  const { properties = {}, required = [], additionalProperties = true } = schema;
  const at = (key: string) => `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  const missing = required
    .filter((key) => !Object.hasOwn(object, key))
    .map((key) => ({ pointer: at(key), detail: "it is missing" }));
  const wrong = Object.entries(object).flatMap(([key, value]) => {
    if (Object.hasOwn(properties, key)) return faultsIn(value, properties[key]!, at(key));
    const names = Object.keys(properties).join(", ");
    return additionalProperties ? [] : [{ pointer: at(key), detail: `there is no such key here; there are ${names}` }];
  });
  return [...missing, ...wrong];
}

/** RFC 3339 section 5.6, with a time zone. A day that the month does not have is no date. */
function isDateTime(text: string): boolean {
  const [, date] = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  if (date === undefined || Number.isNaN(Date.parse(text))) return false;
  return new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
}
