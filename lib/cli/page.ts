/** Text for a terminal. Colours are Node's: only where stdout is one, and not where NO_COLOR is set. */
import { stripVTControlCharacters, styleText } from "node:util";

export const bold = (text: string): string => styleText("bold", text);
export const quiet = (text: string): string => styleText("gray", text);
export const good = (text: string): string => styleText("green", text);
export const bad = (text: string): string => styleText("red", text);
export const odd = (text: string): string => styleText("yellow", text);

/** Rows whose cells stand below each other. */
export function columns(rows: readonly (readonly string[])[], indent = ""): string {
  const widths: number[] = [];
  for (const row of rows) for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, widthOf(cell));
  return rows
    .map((row) => `${indent}${row.map((cell, index) => cell + " ".repeat(widths[index]! - widthOf(cell))).join("  ")}`.trimEnd())
    .join("\n");
}

/** A label with its lines beside it; undefined lines are left out. */
export function labelled(label: string, lines: readonly (string | undefined)[], width = 10): string {
  const text = lines.filter((line) => line !== undefined).flatMap((line) => line.split("\n"));
  return text.map((line, index) => `${index === 0 ? quiet(label.padEnd(width)) : " ".repeat(width)}${line}`.trimEnd()).join("\n");
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** What came in with a request must not steer the terminal. */
export function printable(text: string): string {
  return text.replace(
    /[\0-\x08\x0b-\x1f\x7f-\x9f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

export function formatMs(ms: number | null): string {
  if (ms === null) return "none";
  if (ms % 60_000 === 0 && ms > 0) return `${ms / 60_000}m`;
  return ms >= 1000 ? `${ms / 1000}s` : `${ms}ms`;
}
