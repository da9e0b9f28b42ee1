/** Parameters as other frameworks write them, which would be taken for text here without a word. */
import type { Template } from "../contract/template.ts";

/** How a parameter of another framework is written here: `{id}` (OpenAPI), `[id]` and `[...rest]` (Next), `<id>` (Flask), `$id` (Remix). */
export function parameterFor(segment: string): string | undefined {
  const [, rest] = /^(?:\{(\w+)(?:\+|\*)\}|\[\[?\.\.\.(\w+)\]?\])$/.exec(segment)?.filter((part) => part !== undefined) ?? [];
  if (rest !== undefined) return `:${rest}*`;
  const [, one] =
    /^(?:\{(\w+)\}|\[(\w+)\]|<(?:\w+:)?(\w+)>|\$([A-Za-z_]\w*))$/.exec(segment)?.filter((part) => part !== undefined) ?? [];
  return one === undefined ? undefined : `:${one}`;
}

/** For a path that may hold request values: a segment of it that was meant as one. */
export function parameterFault(template: Template): string | undefined {
  const outline = template.map((part) => (typeof part === "string" ? part : "x")).join("");
  const [path = ""] = outline.split(/[?#]/, 1);
  const segment = path.split("/").find((each) => valueFor(each) !== undefined);
  return segment && `"${segment}" is text there, not a parameter: write ${valueFor(segment)}`;
}

/** The request value for `:id`, `:rest*`, `*`, `$1`, `{id}`, `[id]`. */
function valueFor(segment: string): string | undefined {
  const name = /^:(\w+)[*+?]?$/.exec(segment)?.[1] ?? parameterFor(segment)?.replace(/[:*]/g, "");
  if (name !== undefined) return `\${params.${name}}`;
  return /^(?:\*\*?|\$\d+|\(\.\*\))$/.test(segment) ? "${params.rest} for what `*` matched" : undefined;
}
