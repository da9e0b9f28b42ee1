/** The course of a figure, without axes. The figure beside it says how much. */
interface SparklineProps {
  readonly values: readonly number[];
  readonly tone: "plain" | "warn" | "cache";
}

const WIDTH = 240;
const HEIGHT = 34;

export function Sparkline({ values, tone }: SparklineProps) {
  const max = Math.max(...values, Number.MIN_VALUE);
  const step = WIDTH / Math.max(1, values.length - 1);
  const line = values
    .map((value, index) => `${(index * step).toFixed(1)} ${(HEIGHT - 2 - (value / max) * (HEIGHT - 4)).toFixed(1)}`)
    .join("L");
  return (
    <svg className={`spark ${tone}`} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path className="area" d={`M${line}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z`} />
      <path className="line" d={`M${line}`} />
    </svg>
  );
}
