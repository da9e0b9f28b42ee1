/** Durations over time: the median and the 95th of a hundred. Points without a request are gaps. */
import type { Traffic, TrafficPoint } from "../../../lib/observe/traffic.ts";
import { ChartFrame } from "./chart-frame.tsx";
import { msText } from "./number-text.ts";
import { GridLines } from "./outcome-chart.tsx";

const SLOT = 12;
const HEIGHT = 100;
const DASH = 3;

export function LatencyChart({ traffic }: { readonly traffic: Traffic }) {
  const { points } = traffic;
  const max = Math.max(...points.map(({ p95 }) => p95 ?? 0), 1);
  const width = points.length * SLOT;
  return (
    <ChartFrame
      traffic={traffic}
      max={msText(max)}
      columns={["p50", "p95"]}
      cells={points.map(({ p50, p95 }) => [msText(p50), msText(p95)])}
    >
      <svg className="chart" viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" role="img">
        <title>Durations of requests over time; the table below has the numbers</title>
        <GridLines width={width} />
        <path className="p95" d={pathOf(points, "p95", max)} />
        <path className="p50" d={pathOf(points, "p50", max)} />
      </svg>
    </ChartFrame>
  );
}

/** A line begins with a dash, so that a lone point shows. */
function pathOf(points: readonly TrafficPoint[], name: "p50" | "p95", max: number): string {
  return points
    .map((point, index) => {
      const ms = point[name];
      if (ms === null) return "";
      const x = index * SLOT + SLOT / 2;
      const y = (HEIGHT - 2 - (ms / max) * (HEIGHT - 6)).toFixed(2);
      return (points[index - 1]?.[name] ?? null) === null ? `M${x - DASH} ${y}L${x + DASH} ${y}` : `L${x} ${y}`;
    })
    .join("");
}

export function LatencyLegend() {
  return (["p95", "p50"] as const).map((name) => (
    <span key={name} className="legend">
      <svg viewBox="0 0 9 9" aria-hidden="true">
        <path className={name} d="M0 4.5H9" />
      </svg>
      {name}
    </span>
  ));
}
