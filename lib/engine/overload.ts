/** Refuses a share of the requests while the host has more to do than it can, by the `priority` of their routes. */
import { type Load, PRIORITIES } from "../contract/load.ts";
import { type Refusal, refuse } from "../contract/problem.ts";
import type { Route } from "./route.ts";

export function shedRequest({ priority }: Route, load: Load): Refusal | undefined {
  if (priority >= load.shed || !load.refuses(priority)) return undefined;
  const share = Math.round(Math.min(load.shed - priority, 1) * 100);
  const reason = `the event loop is ${Math.round(load.lagMs)} ms late: ${share} % of priority ${PRIORITIES[priority]} are refused`;
  // In two seconds a share falls from all to none (lib/hosts/node/overload.ts).
  return refuse("overloaded", { headers: ["retry-after", "2"], reason });
}
