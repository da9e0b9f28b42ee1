/** Range of bytes (RFC 9110 section 14): one range from a body of known length. */

export interface ByteRange {
  /** Both inclusive. */
  readonly first: number;
  readonly last: number;
}

/**
 * Undefined where Range is to be ignored, as a server may: another unit, several ranges (many small ones of one body are how a
 * server is made to send far more than was asked for), or what can't be read.
 */
export function readByteRange(field: string, length: number): ByteRange | "unsatisfiable" | undefined {
  const [, from = "", to = ""] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(field) ?? [];
  if (from === "" && to === "") return undefined;
  if (from === "") {
    const suffix = Number(to);
    return suffix === 0 || length === 0 ? "unsatisfiable" : { first: Math.max(0, length - suffix), last: length - 1 };
  }
  const first = Number(from);
  if (to !== "" && Number(to) < first) return undefined;
  if (first >= length) return "unsatisfiable";
  return { first, last: to === "" ? length - 1 : Math.min(Number(to), length - 1) };
}
