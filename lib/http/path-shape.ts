/** Whether a path is one of those that a pattern stands for, as the matcher compares them: segment by segment, decoded. */

/** A shape's segments are literal, `:` for any one that is not empty, and `*` for the rest, which may be none. */
export function fitsShape(shape: readonly string[], segments: readonly string[]): boolean {
  for (const [index, segment] of shape.entries()) {
    if (segment === "*") return segments.length >= index;
    const given = segments[index];
    if (given === undefined || (segment === ":" ? given === "" : given !== segment)) return false;
  }
  return segments.length === shape.length;
}
