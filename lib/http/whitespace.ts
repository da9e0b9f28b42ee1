/** Blanks around what stands in header fields. */

/**
 * What stands from `from` on, without optional whitespace at its ends (RFC 9110 section 5.6.3): `trim` would also take what is a byte of
 * the value, such as %xA0.
 */
export function trimmed(text: string, from = 0): string {
  let start = from;
  let end = text.length;
  while (start < end && isBlank(text, start)) start++;
  while (end > start && isBlank(text, end - 1)) end--;
  return text.slice(start, end);
}

export function isBlank(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code === 0x20 || code === 0x09;
}
