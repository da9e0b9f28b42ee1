/** Reads `${…}` in a text of the config: references to variables and request values. `$${` is a plain `${`. */
import type { TemplateValue, ValueSource } from "../contract/template.ts";
import type { EnvPart } from "./references.ts";

export type TextPart = string | EnvPart | TemplateValue;
export interface Text {
  readonly parts: readonly TextPart[];
  /** What could not be read, as the source of a `${…}`. */
  readonly faults: readonly string[];
}

const PREFIXES: readonly (readonly [prefix: string, from: ValueSource, names: RegExp])[] = [
  ["params.", "params", /^[A-Za-z_]\w*$/],
  ["query.", "query", /^[^\s${}]+$/],
  ["request.headers.", "header", /^[!#$%&'*+.^_`|~\w-]+$/],
  ["claims.", "claim", /^[^\s${}]+$/],
  ["consumer.", "consumer", /^(?:id|tier|authenticator)$/],
  ["geo.", "geo", /^(?:continent|country|subdivision|city|latitude|longitude|timezone)$/],
];

/** For messages: everything that may stand in `${…}` besides variables. */
export const REQUEST_VALUES =
  "${params.name}, ${query.name}, ${request.headers.name}, ${claims.name}, ${consumer.id}, ${geo.country}";

export function readText(text: string): Text {
  const parts: TextPart[] = [];
  const faults: string[] = [];
  let literal = "";
  let from = 0;
  for (let at = text.indexOf("${"); at >= 0; at = text.indexOf("${", from)) {
    if (text[at - 1] === "$" && at > from) {
      literal += `${text.slice(from, at - 1)}\${`;
      from = at + 2;
      continue;
    }
    literal += text.slice(from, at);
    const end = text.indexOf("}", at);
    if (end < 0) {
      faults.push(text.slice(at));
      return { parts, faults };
    }
    const part = readPart(text.slice(at + 2, end));
    if (part === undefined) faults.push(text.slice(at, end + 1));
    else {
      if (literal) parts.push(literal);
      literal = "";
      parts.push(part);
    }
    from = end + 1;
  }
  literal += text.slice(from);
  if (literal) parts.push(literal);
  return { parts, faults };
}

function readPart(inside: string): EnvPart | TemplateValue | undefined {
  const env = /^env\.([A-Za-z_]\w*)(?::-(.*))?$/s.exec(inside);
  if (env) return env[2] === undefined ? { env: env[1]! } : { env: env[1]!, fallback: env[2] };
  for (const [prefix, from, names] of PREFIXES) {
    if (!inside.startsWith(prefix)) continue;
    const name = inside.slice(prefix.length);
    if (!names.test(name)) return undefined;
    return { from, name: from === "header" ? name.toLowerCase() : name };
  }
  return undefined;
}

export function isEnvPart(part: TextPart): part is EnvPart {
  return typeof part === "object" && "env" in part;
}

export function isRequestValue(part: TextPart): part is TemplateValue {
  return typeof part === "object" && "from" in part;
}
