/** Durations (`250ms 10s 5m 1h 30d`) and sizes (`64kb 10mb`) as people write them. */
const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

/** Milliseconds, or undefined where the text is not a duration. */
export function parseDurationMs(text: string): number | undefined {
  return parseUnit(text, /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/, MILLISECONDS);
}

/** Bytes (1kb is 1024), or undefined where the text is not a size. */
export function parseSizeBytes(text: string): number | undefined {
  return parseUnit(text.toLowerCase(), /^(\d+(?:\.\d+)?)(b|kb|mb|gb)$/, BYTES);
}

function parseUnit(text: string, pattern: RegExp, units: Readonly<Record<string, number>>): number | undefined {
  const found = pattern.exec(text.trim());
  if (!found) return undefined;
  const value = Number(found[1]) * units[found[2]!]!;
  // A fraction is fine as long as it comes out whole: 4.5mb and 1.5s, but not 0.3ms.
  return Number.isSafeInteger(value) ? value : undefined;
}

/** A short exact spelling, for messages. */
export function formatSize(bytes: number): string {
  for (const unit of ["gb", "mb", "kb"]) {
    const text = `${bytes / BYTES[unit]!}${unit}`;
    if (bytes >= BYTES[unit]! && text.length <= 8 && parseSizeBytes(text) === bytes) return text;
  }
  return `${bytes}b`;
}
