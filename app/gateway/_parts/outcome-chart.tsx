/** Outcomes of requests over time, as stacked bars. */
import { OUTCOMES, type RequestOutcome } from "../../../lib/observe/outcome.ts";
import type { Traffic, TrafficPoint } from "../../../lib/observe/traffic.ts";
import { ChartFrame } from "./chart-frame.tsx";
import { countText } from "./number-text.ts";

export const OUTCOME_NAMES: Readonly<Record<RequestOutcome, string>> = {
  ok: "answered",
  cache: "from cache",
  refused: "refused",
  rejected: "backend's 4xx",
  failed: "failed",
};

const SLOT = 12;
const BAR = 9;
const HEIGHT = 100;

export function OutcomeChart({ traffic }: { readonly traffic: Traffic }) {
  const { points } = traffic;
  const max = Math.max(...points.map(totalOf), 1);
  return (
    <ChartFrame
      traffic={traffic}
      max={countText(max)}
      columns={OUTCOMES.map((outcome) => OUTCOME_NAMES[outcome])}
      cells={points.map((point) => OUTCOMES.map((outcome) => countText(point[outcome])))}
    >
      <svg className="chart" viewBox={`0 0 ${points.length * SLOT} ${HEIGHT}`} preserveAspectRatio="none" role="img">
        <title>Outcomes of requests over time; the table below has the numbers</title>
        <GridLines width={points.length * SLOT} />
        {points.map((point, index) => (
          <Bar key={point.time} point={point} x={index * SLOT} max={max} />
        ))}
      </svg>
    </ChartFrame>
  );
}

export function OutcomeLegend() {
  return OUTCOMES.map((outcome) => (
    <span key={outcome} className="legend">
      <svg viewBox="0 0 9 9" aria-hidden="true">
        <rect className={`outcome-${outcome}`} width="9" height="9" rx="2" />
      </svg>
      {OUTCOME_NAMES[outcome]}
    </span>
  ));
}

export function GridLines({ width }: { readonly width: number }) {
  return [0, 1, 2, 3].map((line) => (
    <line key={line} className="grid" x1="0" x2={width} y1={(line * HEIGHT) / 4} y2={(line * HEIGHT) / 4} />
  ));
}

function Bar({ point, x, max }: { readonly point: TrafficPoint; readonly x: number; readonly max: number }) {
  let top = HEIGHT;
  const said = OUTCOMES.filter((outcome) => point[outcome] > 0).map(
    (outcome) => `${countText(point[outcome])} ${OUTCOME_NAMES[outcome]}`,
  );
  return (
    <g>
      <title>{`${point.time.slice(0, 16).replace("T", " ")} UTC: ${said.join(", ") || "no request"}`}</title>
      <rect className="hit" x={x} y="0" width={SLOT} height={HEIGHT} />
      {OUTCOMES.filter((outcome) => point[outcome] > 0).map((outcome) => {
        const height = (point[outcome] / max) * HEIGHT;
        top -= height;
        return (
          <rect key={outcome} className={`outcome-${outcome}`} x={x} y={top.toFixed(2)} width={BAR} height={height.toFixed(2)} />
        );
      })}
    </g>
  );
}

export function totalOf(point: TrafficPoint): number {
  return OUTCOMES.reduce((sum, outcome) => sum + point[outcome], 0);
}
