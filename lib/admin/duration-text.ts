/** A duration for people, in its largest whole unit: `90 s`, `5 min`, `2 h`. */
const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

export function durationText(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, each]) => ms >= each && ms % each === 0) ?? ["ms", 1];
  return `${ms / unitMs} ${unit}`;
}
