/** The frame of a chart over time: its highest value, the times below, and the numbers as a table. */
import type { ReactNode } from "react";
import type { Traffic } from "../../../lib/observe/traffic.ts";
import { LocalTime } from "./local-time.tsx";

interface ChartFrameProps {
  readonly traffic: Traffic;
  readonly max: string;
  readonly children: ReactNode;
  readonly columns: readonly string[];
  /** Of each point, one for each column. */
  readonly cells: readonly (readonly string[])[];
}

const LABELS = 4;

export function ChartFrame({ traffic: { points, period }, max, children, columns, cells }: ChartFrameProps) {
  const form = period === "7d" || period === "30d" ? "day" : "clock";
  const every = Math.max(1, Math.floor(points.length / LABELS));
  return (
    <>
      <span className="max">{max}</span>
      <div className="plot">{children}</div>
      <div className="times">
        {points
          .filter((_, index) => index % every === 0 && index < points.length - every / 2)
          .map(({ time }) => (
            <LocalTime key={time} time={time} form={form} />
          ))}
        <span>now</span>
      </div>
      <details className="numbers">
        <summary>Numbers</summary>
        <div className="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {columns.map((column) => (
                  <th key={column} scope="col" className="number">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {points.map(({ time }, index) => (
                <tr key={time}>
                  <th scope="row">{time.slice(0, 16).replace("T", " ")} UTC</th>
                  {cells[index]!.map((cell, at) => (
                    <td key={columns[at]} className="number">
                      {cell}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}
