/** `frontdesk usage`: asks a running gateway what a consumer has used, and has it forgotten. */
import { readEnvironment } from "../config/env.ts";
import type { LimitUsage, UsageReport } from "../policies/limit/usage-report.ts";
import { overHttp } from "./admin-client.ts";
import { type Command, type Flag, JSON_FLAG, OK, type Result, UsageError, WRONG } from "./command.ts";
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
    const { adminToken, url, port } = readEnvironment(call.cwd);
    const client = overHttp(call.one("url") ?? url ?? `http://127.0.0.1:${port}`, adminToken);
    const answer = await client.send(call.has("reset") ? "DELETE" : "GET", `usage?${new URLSearchParams(given)}`);
    if ("fault" in answer) return { code: WRONG, err: answer.fault };
    const body = answer.body as unknown as UsageReport | { readonly reset: readonly string[] };
    if (call.has("json")) return { code: OK, out: JSON.stringify(body, null, 2) };
    return "reset" in body ? resetText(body.reset) : reportText(body);
  },
};

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
