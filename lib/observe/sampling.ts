/** Which requests the log holds. Errors and refusals are always among them: a sample without them would hide what it is for. */
import type { CompiledConfig } from "../contract/compiled/config.ts";
import type { SampleRule } from "../contract/compiled/observe.ts";
import type { RequestRecord } from "../contract/record.ts";

/** Load balancers ask for it every few seconds, and nobody reads that all is well. */
const HEALTH_PATH = "/gateway/health";

export type IsSampled = (record: RequestRecord) => boolean;

/** `random` draws from 0 to 1. A request id would not do: a caller can choose its own, and so that nothing is ever logged. */
export function createSampling(
  rules: readonly SampleRule[],
  { routes }: Pick<CompiledConfig, "routes">,
  random: () => number,
): IsSampled {
  const paths = new Map(routes.map(({ id, path }) => [id, path]));
  return (record) => {
    if (isAlwaysKept(record)) return true;
    if (record.path === HEALTH_PATH) return false;
    const path = record.route === undefined ? undefined : paths.get(record.route);
    const statusClass = Math.floor(record.status / 100);
    for (const rule of rules) {
      const fits = (rule.route ?? path) === path && (rule.statusClass ?? statusClass) === statusClass;
      if (fits) return rule.share >= 1 || random() < rule.share;
    }
    return true;
  };
}

/** A refusal of the gateway, or a request that a backend or the connection failed. */
export function isAlwaysKept({ code, status, aborted }: RequestRecord): boolean {
  return code !== undefined || status >= 500 || aborted;
}
