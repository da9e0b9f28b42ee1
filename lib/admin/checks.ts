/** GET /gateway/health/checks: a scheduler asks for a run of the active checks, where the host keeps no time of its own (Vercel). */
import type { CheckReport, ScheduledHealthChecks } from "../backends/health/scheduled-health-checks.ts";
import { refuse } from "../contract/problem.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { EarlyResponse } from "../engine/run-steps.ts";
import { HeaderList } from "../http/header-list.ts";
import { type Admit, refuseForced } from "./admit.ts";

export interface ChecksOptions {
  readonly admit: Admit;
  /** Of the gateway that runs. */
  readonly checks: () => ScheduledHealthChecks | undefined;
}

export async function answerChecks({ request }: RequestContext, { admit, checks }: ChecksOptions): Promise<EarlyResponse> {
  const refusal = admit(request) ?? refuseForced(request);
  if (refusal) return refusal;
  // Vercel's cron sends GET. HEAD is a GET whose answer has no content (RFC 9110 section 9.3.2).
  if (request.method !== "GET" && request.method !== "HEAD")
    return refuse("method-not-allowed", { headers: ["allow", "GET, HEAD"] });
  const runs = checks();
  if (!runs) return refuse("route-not-found", { detail: "This host checks its targets by itself: nobody has to ask for it." });
  return answerOf(await runs.run());
}

function answerOf({ startedMs, targets, notShared }: CheckReport): EarlyResponse {
  const body = { startedAt: new Date(startedMs).toISOString(), shared: notShared === undefined, notShared, targets };
  const headers = new HeaderList(["content-type", "application/json", "cache-control", "no-store"]);
  return { status: 200, headers, body: `${JSON.stringify(body)}\n` };
}
