/** The parameters of a path as the config has it: `:name`, and `*` or `:name*` at the end. */
import type { PathParam } from "./route-info.ts";

/** The last segment's `*` is `rest`. */
export function pathParams(path: string): readonly PathParam[] {
  const segments = path.slice(1).split("/");
  return segments.flatMap((segment, index): PathParam[] => {
    const isRest = index === segments.length - 1 && segment.endsWith("*");
    if (isRest) return [{ name: segment === "*" ? "rest" : segment.slice(1, -1), index, isRest }];
    return segment.startsWith(":") ? [{ name: segment.slice(1), index, isRest }] : [];
  });
}
