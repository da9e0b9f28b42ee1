/** Numbers for people: counts, shares, milliseconds. */
const COUNT = new Intl.NumberFormat("en");

export function countText(count: number): string {
  return COUNT.format(count);
}

/** Of a whole; a dash where there is no whole. */
export function shareText(part: number, whole: number): string {
  if (whole === 0) return "–";
  const percent = (part / whole) * 100;
  // Near either end a rounded share would tell of none, or of all.
  const isNearEnd = (percent > 0 && percent < 10) || (percent > 99 && percent < 100);
  return `${isNearEnd ? percent.toFixed(1) : Math.round(percent)} %`;
}

export function msText(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  return `${ms < 10 ? ms.toFixed(1) : COUNT.format(Math.round(ms))} ms`;
}
