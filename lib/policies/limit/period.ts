/** Days and months of the calendar, or counted from an anchor: when the one at hand began and when it ends. In UTC. */
export interface Period {
  readonly startMs: number;
  readonly endMs: number;
}

const DAY_MS = 86_400_000;

export function periodAt(per: "day" | "month", anchorSeconds: number | null, nowMs: number): Period {
  const anchorMs = (anchorSeconds ?? 0) * 1000;
  if (per === "day") {
    const startMs = anchorMs + Math.floor((nowMs - anchorMs) / DAY_MS) * DAY_MS;
    return { startMs, endMs: startMs + DAY_MS };
  }
  const anchor = new Date(anchorMs);
  const now = new Date(nowMs);
  let months = (now.getUTCFullYear() - anchor.getUTCFullYear()) * 12 + now.getUTCMonth() - anchor.getUTCMonth();
  if (monthsAfter(anchor, months) > nowMs) months--;
  return { startMs: monthsAfter(anchor, months), endMs: monthsAfter(anchor, months + 1) };
}

/** The same day and time so many months later; the month's last day where it has no such day. */
function monthsAfter(anchor: Date, months: number): number {
  const year = anchor.getUTCFullYear();
  const month = anchor.getUTCMonth() + months;
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const timeOfDayMs = anchor.getTime() - Date.UTC(year, anchor.getUTCMonth(), anchor.getUTCDate());
  return Date.UTC(year, month, Math.min(anchor.getUTCDate(), lastDay)) + timeOfDayMs;
}
