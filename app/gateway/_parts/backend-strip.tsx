/** Backends in a row: each with the state of its targets, and why one gets no requests. */
import type { BackendOverview } from "../../../lib/admin/overview.ts";
import { StateDot } from "./state-dot.tsx";

export function BackendStrip({ backends }: { readonly backends: readonly BackendOverview[] }) {
  return (
    <ul className="strip">
      {backends.map(({ name, targets }) => {
        const failing = targets.find(({ state }) => state === "down" || state === "trying");
        const states = [...new Set(targets.map(({ state }) => state))];
        const inFlight = targets.reduce((sum, target) => sum + target.inFlight, 0);
        return (
          <li key={name} className={failing ? "failing" : ""}>
            <b>{name}</b>
            <span className="states">
              {states.map((state) => (
                <StateDot key={state} state={state} />
              ))}
            </span>
            <small>
              {failing?.reason ??
                `${targets.length} target${targets.length === 1 ? "" : "s"}${inFlight > 0 ? ` · ${inFlight} in flight` : ""}`}
            </small>
          </li>
        );
      })}
    </ul>
  );
}
