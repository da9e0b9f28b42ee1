/** The grammar of a route's path: literal segments, `:name`, and `*` or `:name*` at the end. */
import type { PathParams } from "./fields.ts";
import { parameterFor } from "./framework-parameters.ts";

export interface PathPattern {
  readonly path: string;
  /** Literal text, `:` for one segment, `*` for the rest: two paths of one shape match the same requests. */
  readonly shape: readonly string[];
  readonly params: PathParams;
}

const PARAM = /^:[A-Za-z_]\w*$/;
const REST = /^(?::[A-Za-z_]\w*)?\*$/;
/** What `*` goes by, in `${params.rest}`. */
const REST_NAME = "rest";

/** The pattern, or what is wrong with the path. */
export function readPathPattern(path: string): PathPattern | string {
  if (!path.startsWith("/")) return "it must begin with a slash";
  const segments = path.slice(1).split("/");
  const params = new Map<string, boolean>();
  const shape: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    const fault = faultOf(segment, isLast);
    if (fault) return fault;
    const isRest = REST.test(segment);
    if (isRest || segment.startsWith(":")) {
      const name = segment === "*" ? REST_NAME : segment.slice(1, isRest ? -1 : undefined);
      if (params.has(name)) return `the parameter "${name}" stands in it twice`;
      params.set(name, isRest);
      shape.push(isRest ? "*" : ":");
    } else shape.push(segment);
  }
  return { path, shape, params };
}

function faultOf(segment: string, isLast: boolean): string | undefined {
  if (segment === "") return isLast ? undefined : "it has an empty segment";
  if (segment === "." || segment === "..") return "it has a dot segment, which no request keeps";
  if (/[?#]/.test(segment)) return "a query or fragment is no part of a path; use `when.query`";
  if (segment.includes("\\")) return "a backslash is no part of a path";
  if (/[\0-\x20\x7f]/.test(segment)) return "it has a space or control character";
  // Requests are compared decoded, so that an escape here would never match.
  if (/%[0-9a-f]{2}/i.test(segment)) return "write it decoded: requests are compared decoded";
  if (REST.test(segment)) return isLast ? undefined : `"${segment}" can only stand at the end`;
  if (PARAM.test(segment)) return undefined;
  const parameter = parameterFor(segment);
  if (parameter !== undefined) return `"${segment}" is text here, not a parameter: write ${parameter}`;
  if (segment.startsWith(":")) return `"${segment}" is not a parameter: write a colon and a name of letters, digits and _`;
  if (segment.includes("*")) return `"${segment}" is neither text nor \`*\`: a \`*\` stands alone, at the end`;
  return undefined;
}
