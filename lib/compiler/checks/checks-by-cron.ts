/** Active checks on Vercel: whether what they need is there. No timer runs there, so a scheduler has to ask for them. */
import { CHECKS_PATH, findingTtlMs } from "../../backends/health/schedule.ts";
import type { Report } from "../../config/issue.ts";
import type { CompiledBackend } from "../../contract/compiled/backend.ts";
import type { CompileOptions } from "../compile-options.ts";
import type { VercelJson } from "./regions.ts";

const MINUTE_MS = 60_000;

export function reportChecksByCron(
  backends: readonly CompiledBackend[],
  { vercelJson, redis, hasCronSecret }: Pick<CompileOptions, "vercelJson" | "redis" | "hasCronSecret">,
  report: Report,
): void {
  const checked = backends.flatMap(({ name, resilience }) => (resilience?.active ? [{ name, active: resilience.active }] : []));
  const [first] = checked;
  if (!first) return;
  // What all of them lack is told once.
  const place = ["backends", first.name, "health"];
  const schedules = schedulesIn(vercelJson);
  if (schedules.length === 0)
    report.warn(
      "checks-by-cron",
      place,
      `on Vercel targets are checked when somebody asks for ${CHECKS_PATH}, and vercel.json has no cron for it.`,
      `Add "crons": [{ "path": "${CHECKS_PATH}", "schedule": "* * * * *" }] there, or let another scheduler ask, as Hobby plans must (docs/traffic.md).`,
    );
  if (hasCronSecret === false)
    report.warn(
      "checks-by-cron",
      place,
      "CRON_SECRET is not set: a scheduler has nothing to be admitted with.",
      "Set it in the project, 16 characters or more; Vercel's cron sends it by itself.",
    );
  if (redis !== undefined && redis !== "set")
    report.warn(
      "needs-redis",
      place,
      "without Redis what a check finds counts in the instance that makes it, and in no other.",
      "Connect Redis (docs/deploy.md).",
    );
  const everyMs = Math.min(...schedules.map(({ schedule }) => periodMs(schedule)));
  for (const { name, active } of checked) {
    // One that is a reference is not known yet.
    if (typeof active.intervalMs !== "number" || findingTtlMs(active.intervalMs) >= everyMs || !Number.isFinite(everyMs))
      continue;
    const minutes = everyMs / MINUTE_MS;
    report.warn(
      "checks-by-cron",
      ["backends", name, "health", "interval"],
      `vercel.json asks every ${minutes} minutes, and what a check finds holds for ${findingTtlMs(active.intervalMs) / MINUTE_MS}: a target that is down would get requests in between.`,
      `Write \`interval: "${minutes}m"\`.`,
    );
  }
}

interface Schedule {
  readonly path: string;
  readonly schedule?: unknown;
}

/** Those of the crons, and of what is to take their place on Vercel. */
function schedulesIn({ crons, schedules }: VercelJson = {}): Schedule[] {
  const all = [crons, schedules].flatMap((list): unknown[] =>
    typeof list === "object" && list !== null ? Object.values(list) : [],
  );
  return all.filter((entry) => (entry as Schedule | null)?.path === CHECKS_PATH) as Schedule[];
}

/** Of the schedules that people write for such a thing; of any other nothing is known. */
function periodMs(schedule: unknown): number {
  const [, minute = "", hour = ""] = /^(\*\/\d+|\*|\d+) (\*|\d+) \* \* \*$/.exec(String(schedule)) ?? [];
  if (/^\d+$/.test(minute)) return hour === "*" ? 60 * MINUTE_MS : 24 * 60 * MINUTE_MS;
  if (hour !== "*") return Number.POSITIVE_INFINITY;
  return minute === "*" ? MINUTE_MS : Number(minute.slice(2)) * MINUTE_MS;
}
