/** `observe`: what the request log holds, and what of it is left out. */
import { z } from "zod";
import { Fields } from "../config/fields.ts";
import type { ConfigPath, Report } from "../config/issue.ts";
import { didYouMean } from "../config/nearest.ts";
import { asList, oneOf, oneOrMore, strict } from "../config/schema-fields.ts";
import type { CompiledConfig } from "../contract/compiled/config.ts";
import { type CompiledObserve, REDACTABLE_FIELDS, type RedactableField, type SampleRule } from "../contract/compiled/observe.ts";
import { pathParams } from "../contract/path-params.ts";
import { percent } from "./schema/resilience.ts";

const sampleRule = strict("observe.sample", {
  route: z.string().optional().describe("The path of a route, as the config has it: `/health`. All requests by default"),
  status: z.enum(["1xx", "2xx", "3xx", "4xx", "5xx"]).optional().describe("A class of statuses: `2xx`. Any by default"),
  percent: percent.describe('Of the requests that fit: `"10%"`. `0` logs none of them'),
});

export const observe = strict("observe", {
  log: oneOf('"json", "pretty" or false', [z.enum(["json", "pretty"]), z.literal(false)])
    .optional()
    .describe(
      'One line for each request on stdout: "json" for machines, "pretty" for people, `false` for none. "json" by default, "pretty" in `npm run dev` and the demo',
    ),
  sample: oneOf('a share such as "10%", a rule `{ route, status, percent }`, or a list of rules', [
    percent,
    sampleRule,
    z.array(sampleRule).min(1),
  ])
    .optional()
    .describe(
      'Which requests are logged: a share of all (`"10%"`), or rules of which the first that fits counts. Refusals, 5xx and broken requests are always logged',
    ),
  redact: oneOrMore("a name such as `params.token` or `consumer`, or a list of names", z.string())
    .optional()
    .describe(
      `What is replaced by \`***\`: \`params.NAME\` for a parameter of a path, ${REDACTABLE_FIELDS.map((name) => `\`${name}\``).join(", ")}. Tokens and API keys in a path always are`,
    ),
  metrics: z
    .boolean()
    .optional()
    .describe("Whether requests are counted for `/gateway/metrics` and the console: true by default. `false` spares the store"),
  clientIp: oneOf('"full", "truncated" or false', [z.enum(["full", "truncated"]), z.literal(false)])
    .optional()
    .describe(
      'The caller\'s address in the log: "full" (default), "truncated" to its network (/24 of IPv4, /48 of IPv6), or `false` for none',
    ),
});

/** The routes that its rules and names may speak of; undefined where some of them could not be read. */
type Routes = readonly Pick<CompiledConfig["routes"][number], "path">[] | undefined;

/** Undefined where every setting has its default. */
export function compileObserve(input: z.output<typeof observe>, routes: Routes, report: Report): CompiledObserve | undefined {
  const { log, metrics, clientIp } = input;
  const sample = sampleOf(input.sample, routes, report);
  const redact = redactOf(input.redact, routes, report);
  const compiled: CompiledObserve = {
    ...(log !== undefined && { log }),
    ...(sample.length > 0 && { sample }),
    ...(redact && { redact }),
    ...(metrics === false && { metrics }),
    ...(clientIp !== undefined && clientIp !== "full" && { clientIp }),
  };
  return Object.keys(compiled).length === 0 ? undefined : compiled;
}

function sampleOf(input: z.output<typeof observe>["sample"], routes: Routes, report: Report): SampleRule[] {
  const fields = new Fields(report);
  const place = ["observe", "sample"];
  if (typeof input === "string" || typeof input === "number") return [{ share: fields.value(input, place, "percent") ?? 1 }];
  const known = routes && [...new Set(routes.map(({ path }) => path))];
  return asList(input).map(({ route, status, percent }, index) => {
    const own = Array.isArray(input) ? [...place, index] : place;
    if (route !== undefined) expectKnown(route, known, "route has the path", [...own, "route"], report);
    return {
      ...(route !== undefined && { route }),
      ...(status !== undefined && { statusClass: Number(status[0]) }),
      share: fields.value(percent, [...own, "percent"], "percent") ?? 1,
    };
  });
}

function redactOf(input: z.output<typeof observe>["redact"], routes: Routes, report: Report): CompiledObserve["redact"] {
  if (input === undefined) return undefined;
  const known = routes && [...new Set(routes.flatMap(({ path }) => pathParams(path).map(({ name }) => name)))];
  const params: string[] = [];
  const fields: RedactableField[] = [];
  asList(input).forEach((name, index) => {
    const place = ["observe", "redact", ...(Array.isArray(input) ? [index] : [])];
    if (name.startsWith("params.")) {
      const param = name.slice("params.".length);
      expectKnown(param, known, "path has a parameter", place, report);
      params.push(param);
    } else if (isRedactable(name)) fields.push(name);
    else
      report.error(
        "wrong-value",
        place,
        `${JSON.stringify(name)} can't be redacted.`,
        `Write params.NAME for a parameter of a path, or one of ${REDACTABLE_FIELDS.join(", ")}. Queries, header fields and bodies are never logged.`,
      );
  });
  return { params, fields };
}

function expectKnown(name: string, known: readonly string[] | undefined, what: string, place: ConfigPath, report: Report): void {
  if (known && !known.includes(name))
    report.error("wrong-value", place, `no ${what} ${JSON.stringify(name)}.`, didYouMean(name, known));
}

function isRedactable(name: string): name is RedactableField {
  return (REDACTABLE_FIELDS as readonly string[]).includes(name);
}
