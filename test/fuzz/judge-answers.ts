/** What is wrong with the answers that a client got. */
import type { HostName } from "../support/host-process.ts";
import { ANSWER_FIELD, type FuzzCase } from "./fuzz-case.ts";
import { isPlatforms } from "./platform-limits.ts";
import type { ReadAnswer } from "./read-answers.ts";
import type { SentRequest } from "./sent-requests.ts";

/** What the gateway may say of a sound backend: it is under load, it can't do that here, or it met itself. */
const OWN_5XX = new Set(["overloaded", "upgrade-unsupported", "loop-detected", "connection-auth-unsupported"]);
/** An answer there may be one to an earlier request. */
const SHARES_ANSWERS = /^\/(?:cached|once|people)\b/;

export function judgeAnswers(
  fuzzCase: FuzzCase,
  sent: readonly SentRequest[],
  answers: readonly ReadAnswer[],
  host: HostName,
): string[] {
  return answers.flatMap((answer, n) => {
    const request = sent[n];
    if (!request) return unexplained(fuzzCase, answer, undefined) ?? [];
    const findings = isPlatforms(answer, request, host) ? [] : [unexplained(fuzzCase, answer, request.target)];
    const told = fieldOf(answer, ANSWER_FIELD);
    if (told !== undefined && request.name !== undefined && told !== request.name && !SHARES_ANSWERS.test(request.target)) {
      findings.push(`request ${request.name} (${request.target}) got the answer to ${told}`);
    }
    return findings.filter((finding) => finding !== undefined);
  });
}

function unexplained({ answers, isMutated }: FuzzCase, answer: ReadAnswer, target: string | undefined): string | undefined {
  const { status, body } = answer;
  if (status < 500) return undefined;
  const code = fieldOf(answer, "x-gateway-error");
  const what = `${status} ${code ?? "without a code"} for ${target}: ${JSON.stringify(body.slice(0, 300))}`;
  if (code === "internal") return what;
  if (code !== undefined) return !isMutated && target?.startsWith("/calm/") && !OWN_5XX.has(code) ? what : undefined;
  const isBackends = answers.some((steps) => steps.some((step) => "write" in step && step.write.includes(` ${status} `)));
  return isBackends || isMutated || target === undefined || SHARES_ANSWERS.test(target) ? undefined : what;
}

function fieldOf({ fields }: ReadAnswer, wanted: string): string | undefined {
  return fields.find(([name]) => name === wanted)?.[1];
}
