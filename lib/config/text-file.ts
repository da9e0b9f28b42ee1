/** Text files as people write them: with a byte order mark or without, in UTF-8 and in nothing else. */
import { readFileSync } from "node:fs";
import { ConfigError, type Position } from "./issue.ts";

const BYTE_ORDER_MARK = "\uFEFF";

/** Throws the system's error where the file can't be read, and a ConfigError with the place where it is not UTF-8. */
export function readTextFile(path: string, origin: string): string {
  return decodeText(readFileSync(/* turbopackIgnore: true */ path), origin);
}

export function decodeText(bytes: Uint8Array, origin: string): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  // UTF-16 of plain English is sound UTF-8, but for its zeros.
  const fault = bytes.includes(0) ? text.indexOf("\0") : isUtf8(bytes) ? -1 : text.indexOf("\uFFFD");
  if (fault >= 0) {
    const what = bytes.includes(0) ? "a zero byte, as UTF-16 has" : "a byte that is none of UTF-8's";
    const message = `it is not UTF-8: there is ${what}.`;
    const fix = "Save the file as UTF-8.";
    throw new ConfigError(
      [{ rule: "source-syntax", severity: "error", path: "", message, fix, ...positionIn(text, fault) }],
      origin,
    );
  }
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function positionIn(text: string, offset: number): Position {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: before.at(-1)!.length + 1 };
}
