/** `frontdesk usage`: asks a running gateway what a consumer has used, and has it forgotten. */
import { readEnvironment } from "../config/env.ts";
import type { LimitUsage, UsageReport } from "../policies/limit/usage-report.ts";
import { type Call, type Command, type Flag, JSON_FLAG, OK, type Result, UsageError, WRONG } from "./command.ts";
import { bold, columns, quiet } from "./page.ts";

const URL_FLAG: Flag = {
  type: "string",
  value: "url",
  help: "the gateway's address: GATEWAY_URL by default, or this machine's at PORT",
};

export const usage: Command = {
  name: "usage",
  summary: "shows what a consumer has used of its limits, or resets it",
  operands: "[consumer]",
  maxOperands: 1,
  flags: {
    ip: { type: "string", value: "address", help: "of limits that count by address" },
    tier: { type: "string", value: "name", help: "the consumer's tier, where it is not the first: only its credentials say" },
    reset: { type: "boolean", help: "forgets what was used" },
    url: URL_FLAG,
    json: JSON_FLAG,
  },
  details:
    "Nothing is taken by looking. The gateway is asked over HTTP with GATEWAY_ADMIN_TOKEN, since short counts stand in its memory.\n" +
    "A consumer's name is that of the records: `web:alice`.",
  async run(call) {
    const [consumer] = call.operands;
    const [ip, tier] = [call.one("ip"), call.one("tier")];
    if (consumer === undefined && ip === undefined) throw new UsageError("say whose usage: a consumer, or --ip.");
    const given = Object.entries({ consumer, ip, tier }).filter((pair): pair is [string, string] => pair[1] !== undefined);
    const answer = await ask(call, new URLSearchParams(given), call.has("reset") ? "DELETE" : "GET");
    if (typeof answer === "string") return { code: WRONG, err: answer };
    if (call.has("json")) return { code: OK, out: JSON.stringify(answer, null, 2) };
    return "reset" in answer ? resetText(answer.reset) : reportText(answer);
  },
};

/** Or what went wrong. */
async function ask(
  call: Call,
  query: URLSearchParams,
  method: "GET" | "DELETE",
): Promise<UsageReport | { readonly reset: readonly string[] } | string> {
  const { adminToken, url, port } = readEnvironment(call.cwd);
  const origin = call.one("url") ?? url ?? `http://127.0.0.1:${port}`;
  if (!URL.canParse("/", origin)) throw new UsageError(`--url takes an address, not ${JSON.stringify(origin)}.`);
  const address = new URL(`/gateway/api/usage?${query}`, origin);
  try {
    const headers: Record<string, string> = adminToken === undefined ? {} : { authorization: `Bearer ${adminToken}` };
    const response = await fetch(address, { method, headers, redirect: "error", signal: AbortSignal.timeout(10_000) });
    const body: unknown = await response.json().catch(() => undefined);
    if (response.ok) return body as UsageReport;
    const { detail, title } = (body ?? {}) as { detail?: string; title?: string };
    const hint = adminToken === undefined ? " GATEWAY_ADMIN_TOKEN is not set here." : "";
    return `${origin} answered ${response.status}: ${detail ?? title ?? "no gateway of this kind"}.${hint}`.replace("..", ".");
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return `no gateway answers at ${origin}: ${cause}`;
  }
}

function resetText(names: readonly string[]): Result {
  return { code: OK, out: names.length === 0 ? "no limit of this config counts by that." : `reset: ${names.join(", ")}` };
}

function reportText({ consumer, ip, override, limits }: UsageReport): Result {
  const head = bold([consumer, ip].filter(Boolean).join(" from "));
  const lines = [
    override === null ? head : `${head}  ${quiet(`override: ${JSON.stringify(override)}`)}`,
    limits.length === 0 ? "no limit of this config counts by that." : columns(limits.map(cellsOf), "  "),
  ];
  return { code: OK, out: lines.join("\n") };
}

function cellsOf({ name, route, used, limit, unit, windowSeconds, resetsAt }: LimitUsage): string[] {
  const span = windowSeconds === null ? "at once" : `in ${windowSeconds} s`;
  return [name, route ?? quiet("several routes"), `${used} of ${limit} ${unit} ${span}`, quiet(`resets ${resetsAt}`)];
}
