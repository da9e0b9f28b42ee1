/** Active checks: a GET on each target now and then, by a host that is always awake. Two failures in a row take it out, one success brings it back. */
import type { Backend } from "../backend.ts";
import {
  type Checked,
  type CheckSurroundings,
  checkedTargets,
  FAILURES,
  faultOf,
  MAX_AT_ONCE,
  markDown,
  markUp,
  PASSES,
} from "./health-check.ts";

export interface HealthChecks {
  /** Whatever is under way is given up. */
  stop(): void;
}

const CROWDED_MS = 100;

export function startHealthChecks(backends: readonly Backend[], surroundings: CheckSurroundings): HealthChecks {
  const stopping = new AbortController();
  let running = 0;

  function watch(checked: Checked): void {
    const { backend, active } = checked;
    let failures = 0;
    let timer: NodeJS.Timeout;
    stopping.signal.addEventListener("abort", () => clearTimeout(timer));
    const plan = (waitMs: number) => {
      timer = setTimeout(run, waitMs).unref();
    };
    const run = async () => {
      if (running >= MAX_AT_ONCE) {
        plan(CROWDED_MS);
        return;
      }
      running++;
      const fault = await faultOf(checked, surroundings, stopping.signal);
      running--;
      if (stopping.signal.aborted) return;
      failures = fault === undefined ? 0 : failures + 1;
      if (fault === undefined) markUp(checked, PASSES, surroundings);
      else if (failures >= FAILURES) markDown(checked, fault, surroundings);
      // By lot, so that gateways which started together do not ask together.
      plan(active.intervalMs * (0.8 + 0.2 * backend.random()));
    };
    plan(Math.min(active.intervalMs, 1000) * backend.random());
  }

  for (const checked of checkedTargets(backends)) watch(checked);
  return { stop: () => stopping.abort() };
}
