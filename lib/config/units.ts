/** Durations (`250ms 10s 5m 1h 30d`), sizes (`64kb 10mb`) and rates (`100/m`, `10000/month`, `1kb/s`) as people write them. */
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

/** Bytes a second (`240b/s`, `1kb/s`), or undefined where the text is not such a rate. */
export function parseByteRate(text: string): number | undefined {
  const [, size = ""] = /^(.+)\/s$/.exec(text.trim()) ?? [];
  return parseSizeBytes(size) || undefined;
}

/** So many in so long. */
export interface Rate {
  readonly amount: number;
  readonly windowMs: number;
}

/** So many in each day or month of the calendar. */
export interface CalendarRate {
  readonly amount: number;
  readonly per: "day" | "month";
}

/** A field of RateLimit-Policy counts whole seconds; longer than a month is a quota's affair. */
const MAX_WINDOW_MS = 31 * 86_400_000;

/** `100/m`, `100/min`, `100/1m`, `5/15m`; undefined where the text is not a rate. */
export function parseRate(text: string): Rate | undefined {
  const [, amount = "", count, unit = ""] = /^\s*(\d+)\s*\/\s*(\d*)\s*(s|m|min|h|d)\s*$/.exec(text) ?? [];
  const windowMs = parseWindowMs(`${count || 1}${unit === "min" ? "m" : unit}`);
  const whole = parseAmount(amount);
  return whole === undefined || windowMs === undefined ? undefined : { amount: whole, windowMs };
}

/** `10000/month` or `500/day`. */
export function parseCalendarRate(text: string): CalendarRate | undefined {
  const [, amount = "", per] = /^\s*(\d+)\s*\/\s*(day|month)\s*$/.exec(text) ?? [];
  const whole = parseAmount(amount);
  return whole === undefined ? undefined : { amount: whole, per: per as CalendarRate["per"] };
}

/** A limit of 0 would be a route that nobody can use. */
export function parseAmount(text: string): number | undefined {
  return /^\d{1,12}$/.test(text) && Number(text) > 0 ? Number(text) : undefined;
}

export function parseWindowMs(text: string): number | undefined {
  const ms = parseDurationMs(text);
  return ms !== undefined && ms >= 1000 && ms % 1000 === 0 && ms <= MAX_WINDOW_MS ? ms : undefined;
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
