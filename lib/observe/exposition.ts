/**
 * Metrics as text: Prometheus's format 0.0.4, or OpenMetrics 1.0.0 where the scraper asks for it
 * (https://prometheus.io/docs/instrumenting/exposition_formats/, https://prometheus.io/docs/specs/om/open_metrics_spec/).
 */
import { BUCKET_BOUNDS_MS } from "./duration-buckets.ts";
import { METRICS, type MetricKind } from "./metric-names.ts";

export type ExpositionFormat = "prometheus" | "openmetrics";

export const CONTENT_TYPES: Record<ExpositionFormat, string> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** Whichever the scraper prefers; quality values are rarely sent, and the first of the two is meant. */
export function formatFor(accept: string | undefined): ExpositionFormat {
  const at = (type: string) => accept?.indexOf(type) ?? -1;
  const [open, plain] = [at("application/openmetrics-text"), at("text/plain")];
  return open >= 0 && (plain < 0 || open < plain) ? "openmetrics" : "prometheus";
}

/** `sums` as the store has them, by series. Series of metrics that this version does not know are left out. */
export function exposition(sums: ReadonlyMap<string, number>, format: ExpositionFormat): string {
  const bySeries = Map.groupBy(
    [...sums].sort(([a], [b]) => (a < b ? -1 : 1)),
    ([name]) => name.slice(0, name.indexOf("{")),
  );
  let text = "";
  for (const [name, { type, help }] of Object.entries<MetricKind>(METRICS)) {
    const found = bySeries.get(name);
    if (!found) continue;
    // In OpenMetrics a counter's family has no suffix, and its samples have.
    const family = format === "openmetrics" && type === "counter" ? name.replace(/_total$/, "") : name;
    text += `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n`;
    text += type === "counter" ? found.map(([series, sum]) => `${series} ${sum}\n`).join("") : histograms(name, found);
  }
  return format === "openmetrics" ? `${text}# EOF\n` : text;
}

/** Buckets add up, as Prometheus wants them, and all of them are there, so that rates of each exist. */
function histograms(name: string, sums: readonly (readonly [string, number])[]): string {
  const byLabels = new Map<string, { readonly counts: number[]; sumUs: number }>();
  for (const [key, value] of sums) {
    const hash = key.lastIndexOf("#");
    const labels = key.slice(name.length + 1, hash - 1);
    const one = byLabels.get(labels) ?? { counts: new Array<number>(BUCKET_BOUNDS_MS.length + 1).fill(0), sumUs: 0 };
    byLabels.set(labels, one);
    if (key.endsWith("#sum")) one.sumUs = value;
    else one.counts[Number(key.slice(hash + 1))] = value;
  }
  let text = "";
  for (const [labels, { counts, sumUs }] of byLabels) {
    let count = 0;
    for (const [index, own] of counts.entries()) {
      count += own;
      const boundMs = BUCKET_BOUNDS_MS[index];
      text += `${name}_bucket{${labels},le="${boundMs === undefined ? "+Inf" : Number((boundMs / 1000).toPrecision(6))}"} ${count}\n`;
    }
    text += `${name}_sum{${labels}} ${sumUs / 1e6}\n${name}_count{${labels}} ${count}\n`;
  }
  return text;
}
