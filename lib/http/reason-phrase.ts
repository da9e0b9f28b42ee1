/** The reason phrase of a backend's answer (RFC 9112 section 4). It means nothing to a program, and may hold any text. */

/** HTAB, SP, VCHAR and obs-text. */
const WRITABLE = /^[\t\x20-\x7e\x80-\xff]*$/;
const ASCII = /^[\t\x20-\x7e]*$/;

/**
 * The phrase as it can be written to a caller, one character for each byte; empty where its bytes are lost. Undici reads the bytes as UTF-8,
 * so that a phrase in latin-1 arrives with replacement characters.
 */
export function writableReason(read: string): string {
  if (ASCII.test(read)) return read;
  if (read.includes("\ufffd")) return "";
  const bytes = Buffer.from(read, "utf8").toString("latin1");
  return WRITABLE.test(bytes) ? bytes : "";
}
